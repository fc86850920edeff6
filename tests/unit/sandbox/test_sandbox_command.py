"""``python -m sandbox``: what it says when it cannot do what it is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sandbox.__main__ import app
from tests.unit.sandbox.served import CLIENT

SECRET = {"SANDBOX_CLIENT_ID": CLIENT[0], "SANDBOX_CLIENT_SECRET": CLIENT[1]}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SECRET, "DTI_HOME", "DTI_SANDBOX_CLOCK", "DTI_SANDBOX_PORT", "DTI_SANDBOX_SEED", "DTI_SANDBOX_SCALE"):
        monkeypatch.delenv(name, raising=False)


def test_it_does_not_serve_without_a_secret() -> None:
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == 2
    assert "SANDBOX_CLIENT" in result.output


def test_a_taken_port_is_named_with_the_remedy_and_without_the_secret() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["serve", "--port", port, "--clock", "2026-07-01T02:00"], env=SECRET)
    assert result.exit_code == 1
    assert port in result.output
    assert "DTI_SANDBOX_PORT" in result.output
    assert "SYNTHETIC" in result.output
    assert CLIENT[1] not in result.output


def test_a_senseless_clock_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["drop", "--home", str(tmp_path), "--clock", "hôm qua"])
    assert result.exit_code == 2
    assert "2026-07-01T02:00" in result.output
    assert not list(tmp_path.iterdir())


def test_drop_names_what_it_wrote(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["drop", "--home", str(tmp_path), "--clock", "2026-07-01T02:00"])
    assert result.exit_code == 0
    written = {Path(line) for line in result.output.splitlines()}
    assert written == {p for p in (tmp_path / "drop").rglob("*") if p.is_file()}
    assert len(written) == 14
