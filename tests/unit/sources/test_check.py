"""A source file is checked before anyone schedules it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer

from dti.errors import ConfigError, SourceUnreachable
from dti.settings import get_settings
from dti.sources.check import check_file, probe
from dti.sources.spec import load_source_file, parse_source, source_files
from tests.unit.sources.agency import DOSSIERS, Agency, dossier, minute

CONNECTOR = {
    "type": "rest",
    "address": "https://portal.example.vn/dossiers",
    "change_time": {"since_param": "since", "field": "CapNhat"},
}
GOOD: dict[str, Any] = DOSSIERS | {"connector": CONNECTOR}


def write(folder: Path, document: Any, name: str = "dossiers.yml") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document, allow_unicode=True), "utf-8")
    return path


def changed(*keys: str, to: Any) -> dict[str, Any]:
    document = copy.deepcopy(GOOD)
    place = document
    for key in keys[:-1]:
        place = place[key]
    if to is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = to
    return document


def test_a_fit_file_has_no_findings(tmp_path: Path) -> None:
    assert check_file(write(tmp_path, GOOD)) == []


@pytest.mark.parametrize(
    ("document", "key", "message"),
    [
        ("source: [", "file", "not YAML"),
        ("just text", "file", "valid dictionary"),
        (changed("feed", to="online_service"), "feed", "no such feed"),
        (changed("connector", "address", to="portal.example.vn"), "connector.address", "match pattern"),
        (changed("connector", "address", to="${NOT_SET_ANYWHERE}"), "file", "NOT_SET_ANYWHERE is not set"),
        (changed("connector", "change_time", to=None), "connector", "keyset needs change_time"),
        (changed("connector", "change_time", "format", to="%d/%m"), "connector.change_time.format", "year, month"),
        (changed("connector", "retrys", to=3), "connector.retrys", "Extra inputs"),
        (changed("fields", "dosier_id", to="MaHoSo"), "fields", "no column of feed online_services: dosier_id"),
        (changed("fields", "updated_at", to=None), "fields", "required .* but not mapped: updated_at"),
        (changed("fields", "fee_vnd", to="sum(DanhSachLePhi[].Gia"), "fields.fee_vnd", "Invalid jmespath"),
        (changed("connector", "records_path", to="data["), "connector.records_path", "Invalid jmespath"),
        (changed("fields", "agency_code", to="ChuHoSo"), "fields.agency_code", r"personal \(applicant_name\)"),
        (
            changed("fields", "applicant_ref", to="SoDinhDanh"),
            "fields.applicant_ref",
            "pseudonym of applicant_identity",
        ),
        (changed("constants", to={"status_code": "9"}), "fields", "given twice: status_code"),
        (changed("constants", to={"applicant_name": "x"}), "constants", "no column"),
        (changed("codes", to={"nothing": {"a": "b"}}), "codes", "no column .* nothing"),
        (changed("source", to="portal"), "source", "declares 'portal'"),
        (changed("unit", to={"fixed": "P34-66", "field": "Tinh"}), "unit", "give either fixed"),
    ],
)
def test_each_fault_names_file_key_and_remedy(tmp_path: Path, document: Any, key: str, message: str) -> None:
    path = write(tmp_path, document)
    findings = check_file(path)
    assert findings
    found = [finding for finding in findings if finding.key == key]
    assert found, findings
    assert found[0].file == str(path)
    assert found[0].remedy
    assert re.search(message, found[0].message)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    document = changed("fields", "updated_at", to=None) | {"codes": {"nothing": {}}}
    assert {finding.key for finding in check_file(write(tmp_path, document))} == {"fields", "codes"}


def test_a_missing_file_and_a_name_taken(tmp_path: Path) -> None:
    assert [finding.message for finding in check_file(tmp_path / "none.yml")] == ["no such file"]
    taken = load_source_file(get_settings().include_dir / "sources" / "examples" / "prometheus-node-exporter.yml")
    document = yaml.safe_load(taken.model_dump_json(exclude_defaults=True))
    path = write(tmp_path, document, f"{taken.source}.yml")
    assert [finding.key for finding in check_file(path)] == ["source"]


def test_a_secret_of_the_environment_is_in_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_KEY", "environment-secret")
    document = changed("connector", "params", to={"key": "${PORTAL_KEY}", "deep": {"key": "${PORTAL_KEY}"}})
    findings = check_file(write(tmp_path, document))
    assert findings
    assert "environment-secret" not in str(findings)


def test_variables_stand_in_values_only_and_have_defaults() -> None:
    text = "# ${COMMENT} asks for nothing\n" + yaml.safe_dump(
        changed("connector", "address", to="${URL:-https://a.vn}/x")
    )
    assert parse_source(text, "f", {}).connector.address == "https://a.vn/x"
    awkward = "https://a.vn/#: {x}"  # would be other YAML if it were filled in before reading
    assert parse_source(text, "f", {"URL": awkward}).connector.address == f"{awkward}/x"
    with pytest.raises(ConfigError, match=r"f: URL is not set"):
        parse_source(text.replace(":-https://a.vn", ""), "f", {})


def test_every_source_of_the_project_is_fit() -> None:
    assert [finding for path in source_files() for finding in check_file(path)] == []


def test_a_probe_tells_what_a_night_would_find(
    agency: Agency, rest_source: Callable[..., Any], httpserver: HTTPServer
) -> None:
    agency.records = [
        dossier(1, minute(1), TrangThaiHoSo="đang xử lý", GhiChuNoiBo="x"),
        dossier(2, minute(2), MaTTHC="", Tinh=None),
        dossier(3, minute(3)),
    ]
    lines = probe(rest_source({"codes": {"status_code": {"4": "4"}}}), None)
    assert lines[0].startswith("3 record(s) seen, ")
    assert lines[1:] == [
        "not mapped: GhiChuNoiBo",
        "unit: required, and empty in 1 of 3, first page 1, record 2",
        "procedure_code: required, and empty in 1 of 3, first page 1, record 2",
        "status_code: 1 of 3 are no integer, first 'đang xử lý' at page 1, record 1",
    ]
    assert "Canary" not in str(lines)
    httpserver.clear()
    httpserver.expect_request("/dossiers").respond_with_data("", status=503)
    with pytest.raises(SourceUnreachable):
        probe(rest_source(retries=0), None)


def test_a_probe_asks_for_no_more_than_it_shows(agency: Agency, rest_source: Callable[..., Any]) -> None:
    agency.records = [dossier(n, minute(n)) for n in range(900)]
    lines = probe(rest_source(paging={"style": "keyset", "size": 200}), None)
    assert lines[0].startswith("200 record(s) seen, 1 request(s)")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no file .*authority.pem"),
        ("", "holds no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n", "holds no certificate in PEM"),
        ("key", "holds no certificate in PEM"),
        ("leaf", "holds no certificate of an authority"),
        ("expired", "every certificate in .* has expired, the last on 2020-01-02"),
        ("good", None),
    ],
)
def test_a_file_of_authorities_is_checked_before_it_is_relied_on(
    tmp_path: Path, content: str | None, message: str | None
) -> None:
    authority = trustme.CA()
    made = {
        "good": authority.cert_pem.bytes(),
        "key": authority.private_key_pem.bytes(),
        "leaf": authority.issue_cert("portal.example.vn").cert_chain_pems[0].bytes(),
        "expired": expired_authority(),
    }
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(made.get(content, content.encode()))
    found = check_file(write(tmp_path, changed("connector", "ca_file", to=str(path))))
    assert [finding.key for finding in found] == (["connector.ca_file"] if message else [])
    assert not message or re.search(message, found[0].message)


def test_a_relative_file_of_authorities_is_below_the_checkout(tmp_path: Path) -> None:
    (finding,) = check_file(write(tmp_path, changed("connector", "ca_file", to="include/ca/none.pem")))
    assert finding.message == f"no file {get_settings().project / 'include/ca/none.pem'}"


@pytest.mark.parametrize(("key", "to"), [("verify", False), ("ca_file", False), ("insecure", True), ("ca_file", "")])
def test_the_check_of_certificates_cannot_be_switched_off(tmp_path: Path, key: str, to: Any) -> None:
    found = check_file(write(tmp_path, changed("connector", key, to=to)))
    assert [finding.key for finding in found] == [f"connector.{key}"]


def expired_authority() -> bytes:
    """An authority whose time is over, which trustme does not make."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sở thử nghiệm")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2020, 1, 2, tzinfo=UTC))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
