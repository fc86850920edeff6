"""TLS is checked everywhere: no line of ours switches it off, and a certificate counts only if its authority does."""

from __future__ import annotations

import ast
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from dti.errors import SourceUntrusted
from dti.sources.http import HttpClient
from dti.sources.model import RestConnector
from dti.sources.pull import PullStats
from tests.builders.misbehaving import Answer, misbehaving
from tests.conftest import PROJECT

OURS = ("src", "dags", "plugins", "sandbox", "benchmarks")
SWITCHES = {"verify", "check_hostname", "verify_mode", "cert_reqs", "assert_hostname", "ssl", "sslmode"}
"""Arguments and attributes that can switch the check off."""
OFF = {"_create_unverified_context", "_create_stdlib_context", "CERT_NONE", "CERT_OPTIONAL", "disable_warnings"}
"""Names that have no other use."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for folder in OURS:
        for path in (PROJECT / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text("utf-8"))


def switched_off(tree: ast.AST) -> list[int]:
    """Lines on which the check of certificates is, or could be, switched off."""
    lines = []
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg=str(name), value=ast.Constant(value=value)) if name in SWITCHES:
                found = value in {False, None, "", "disable", "allow", "prefer"}
            case ast.Assign(targets=[ast.Attribute(attr=str(name))], value=ast.Constant(value=value)):
                found = name in SWITCHES and not value
            case ast.Attribute(attr=str(name)) | ast.Name(id=str(name)):
                found = name in OFF
            case ast.Constant(value=str(text)):
                found = text in {"CURL_CA_BUNDLE", "PYTHONHTTPSVERIFY"}
            case _:
                found = False
        if found:
            lines.append(node.lineno)  # type: ignore[attr-defined]
    return lines


@pytest.mark.parametrize(
    "line",
    [
        "requests.get(u, verify=False)",
        "session.verify = False",
        "context.check_hostname = False",
        "ssl._create_unverified_context()",
        "context.verify_mode = ssl.CERT_NONE",
        "PoolManager(cert_reqs=None)",
        "connect(sslmode='disable')",
        "urllib3.disable_warnings()",
    ],
)
def test_the_search_finds_what_switches_the_check_off(line: str) -> None:
    assert switched_off(ast.parse(line))


def test_no_line_of_ours_switches_the_check_off() -> None:
    found = {str(path.relative_to(PROJECT)): lines for path, tree in sources() if (lines := switched_off(tree))}
    assert found == {}
    assert sum(1 for _ in sources()) > 300


def test_no_source_file_can_switch_it_off() -> None:
    fields = set(RestConnector.model_fields)
    assert "ca_file" in fields
    assert not fields & (SWITCHES | {"insecure", "tls", "skip_verify"})


def test_a_certificate_counts_only_with_its_authority(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    files = {"right": authority, "wrong": other}
    for name, each in files.items():
        each.cert_pem.write_to_path(tmp_path / f"{name}.pem")

    def ask(ca_file: str | None) -> object:
        connector = RestConnector(
            type="rest", address=server.root, retries=0, ca_file=ca_file, paging={"style": "none"}
        )
        with HttpClient(connector, None, PullStats(), source_id="a") as client:
            return client.json(server.root, {})

    with misbehaving(lambda *_: Answer(b'{"data": []}'), tls=context) as server:
        assert ask(str(tmp_path / "right.pem")) == {"data": []}
        for refused in (None, str(tmp_path / "wrong.pem")):
            with pytest.raises(SourceUntrusted, match="no authority we trust"):
                ask(refused)
