"""A night of two small sources, judged as a whole: lake, facts and marts agree, and a loss between them is seen."""

from __future__ import annotations

from datetime import date

import pytest

from dti import flow
from dti.settings import Settings
from dti.sources.spec import load_source_file
from dti.warehouse import connect
from dti.warehouse.query import run_select
from tests.builders.agencies import Agencies
from tests.builders.two_feeds import FEEDS, SOURCES, a_project

NIGHT = date(2026, 6, 30)


@pytest.fixture
def night(warehouse: Settings, agencies: Agencies, tmp_path, monkeypatch) -> Settings:
    """The warehouse after the night of a province's dossiers and its catalogue."""
    for name, value in agencies.environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "project").mkdir()
    settings = Settings(project=a_project(tmp_path / "project"), home=warehouse.home)
    agencies.after(NIGHT, settings.home_dir)
    for feed, source in zip(FEEDS, SOURCES, strict=True):
        assert load_source_file(settings.sources_dir / f"{source}.yml").feed == feed
        flow.extract(source, NIGHT, settings=settings)
        flow.gate(feed, NIGHT, settings=settings)
        flow.load(feed, NIGHT, settings=settings)
    flow.compute(NIGHT, settings=settings)
    return settings


def results(settings: Settings, columns: str, where: str) -> list[tuple[object, ...]]:
    question = f"select {columns} from marts.night_check where {where} order by rule, source_id, unit_id"
    return list(run_select(question, settings)[1])


@pytest.mark.slow
def test_a_night_is_judged_as_a_whole(night: Settings) -> None:
    flow.check_night(night=NIGHT, settings=night)
    assert results(night, "rule, source_id, detail", "status = 'failed' and severity = 'critical'") == []
    assert results(night, "rule", "detail like 'could not be judged%'") == []
    agreed = results(night, "source_id, status", "rule = 'facts_match_lake'")
    assert agreed == [("dvc-dak-lak", "passed"), ("tthc-dak-lak", "passed")]
    judged = results(night, "rule, source_id, unit_id", "rule = 'procedure_known' and status <> 'not_judged'")
    assert judged == [("procedure_known", "dvc-dak-lak", "P34-66")]
    delivered = results(night, "source_id, unit_id, status", "rule in ('source_delivered', 'data_fresh')")
    assert delivered == [(source, None, "passed") for source in ("dvc-dak-lak", "tthc-dak-lak")] * 2

    with connect.engine(night, "loader").begin() as connection:
        gone = connection.exec_driver_sql(
            "delete from facts.online_services where partition_key = '2026-06' and day = '2026-06-15'"
        ).rowcount
    assert gone > 0
    summary = flow.check_night(NIGHT, settings=night)
    critical = [failed["rule"] for failed in summary["failed"] if failed["severity"] == "critical"]
    assert critical == ["facts_match_lake"]
    ((detail,),) = results(night, "detail", "rule = 'facts_match_lake' and status = 'failed'")
    assert str(detail).startswith("2026-06: lake ")
    index = "select count(*) from marts.latest_composite_index"
    assert list(run_select(index, night)[1]) == [(34 * 4,)], "what fails removes nothing"
