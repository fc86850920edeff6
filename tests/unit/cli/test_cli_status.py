"""``dti status`` and ``dti tell`` as a person types them, and as a program reads their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner

from dti.cli import app
from dti.settings import Settings, get_settings
from dti.sources.spec import load_sources
from dti.warehouse import state
from dti.warehouse.load import load_feed
from tests.builders.receipts import NIGHT, failed, manifest, receipt

runner = CliRunner()


@pytest.fixture
def agencies(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Two agencies, of which one has delivered."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for source_id in ("dvc-ca-mau", "dvc-dak-lak"):
        shipped = warehouse.include_dir / "sources" / "sandbox" / f"{source_id}.yml"
        (folder / shipped.name).write_text(shipped.read_text("utf-8"), "utf-8")
    monkeypatch.setenv("DTI_SOURCES", str(folder))
    monkeypatch.setenv("DTI_NOTIFY", str(tmp_path / "notify.yml"))
    get_settings.cache_clear()
    settings = get_settings()
    state.sync_sources(load_sources(), settings=settings)
    load_feed("online_services", None, [], [receipt(tmp_path, manifest("dvc-dak-lak"))], None, settings=settings)
    return settings


def test_it_exits_with_three_while_something_needs_a_person(agencies: Settings, tmp_path: Path) -> None:
    load_feed("online_services", None, [], [failed("dvc-ca-mau")], None, settings=agencies)
    done = runner.invoke(app, ["status"])
    assert done.exit_code == 3, done.output
    needs, _, fresh = done.output.partition("Freshness")
    for part in ("critical: did not", "tỉnh Cà Mau", NIGHT.isoformat(), "dead-agency.md", "ask the agency"):
        assert part in needs, part
    assert "dvc-dak-lak" not in needs
    assert "dvc-dak-lak" in fresh

    told = runner.invoke(app, ["status", "--json"])
    assert told.exit_code == 3
    content = json.loads(told.output)
    assert [cause["key"] for cause in content["needs_a_person"]] == ["source_failed/dvc-ca-mau"]
    assert {source["source_id"]: source["status"] for source in content["sources"]}["dvc-ca-mau"] == "failed"

    load_feed("online_services", None, [], [receipt(tmp_path, manifest("dvc-ca-mau"))], None, settings=agencies)
    healed = runner.invoke(app, ["status"])
    assert (healed.exit_code, "nothing needs a person" in healed.output) == (0, True), healed.output


def test_a_warehouse_that_does_not_answer_is_an_error_and_not_a_cause(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DTI_WAREHOUSE_URL", "postgresql://nobody:secret-word@127.0.0.1:9/none")
    get_settings.cache_clear()
    done = runner.invoke(app, ["status"])
    assert done.exit_code == 1
    assert "warehouse" in done.output
    assert "secret-word" not in done.output


def test_telling_by_hand(agencies: Settings, httpserver: HTTPServer) -> None:
    load_feed("online_services", None, [], [failed("dvc-ca-mau")], None, settings=agencies)
    assert "nobody is told" in runner.invoke(app, ["tell"]).output
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    address = httpserver.url_for("/hook")
    agencies.notify_file.write_text(f"channels: [{{name: on-duty, type: webhook, address: '{address}'}}]", "utf-8")
    done = runner.invoke(app, ["tell", "--json"])
    assert (done.exit_code, json.loads(done.output)["told"]) == (0, {"on-duty": 1})
    httpserver.clear()
    agencies.notify_file.write_text(f"channels: [{{name: chief, type: webhook, address: '{address}'}}]", "utf-8")
    refused = runner.invoke(app, ["tell"])
    assert (refused.exit_code, "HTTP 500" in refused.output) == (1, True), refused.output
