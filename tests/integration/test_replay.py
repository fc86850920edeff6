"""The replay of published years: all of it agrees with what was published, and a pipeline that errs is found out."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction

import pytest
from sqlalchemy import text

from dti import flow
from dti.cli.replay import ReplayError, replay_settings, run_replay
from dti.cli.replay_compare import compare
from dti.settings import Settings, get_settings
from dti.warehouse import connect, embedded
from dti.warehouse.query import run_select
from sandbox.replay.plan import plan, points
from sandbox.replay.targets import WEIGHTS, targets
from tests.oracle import method

FRAMEWORK = "922-2022"


@pytest.fixture
def clean_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DTI_HOME of its own; what the replay tells the environment is taken back."""
    monkeypatch.setenv("DTI_SANDBOX_URL", "")
    monkeypatch.setenv("AIRFLOW_CONN_SANDBOX", "")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("clean_environment")
def test_2022_comes_out_as_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_replay(FRAMEWORK, 2022, as_json=True)
    told = json.loads(capsys.readouterr().out)
    figures = told["figures"]
    whole = {row["unit_name"]: row for row in figures if row["measure"] == "PDTI"}
    assert told["agrees"]
    assert len(whole) == 63
    exact = [row for row in figures if row["measure"] in {"PDTI", *WEIGHTS}]
    assert len(exact) == 63 * 5 + 5 * 4, "PDTI and four pillars of all, the other four of five provinces"
    assert [row for row in exact if row["published"] != row["computed"]] == [], "to the fourth decimal"
    assert all(row["published_rank"] == row["computed_rank"] for row in whole.values())
    assert [whole[unit]["computed_rank"] for unit in ("Thanh Hóa", "Yên Bái")] == [15, 15]
    assert 16 not in {row["computed_rank"] for row in whole.values()}
    assert {row["measure"] for row in figures if row["unit_name"] == "Đà Nẵng"} >= {"PDTI", *WEIGHTS}
    assert told["synthetic"]
    assert told["calibrated"]
    assert whole["Đà Nẵng"]["assumed"] == []
    assert whole["Yên Bái"]["assumed"] == ["NT", "TC", "NL", "AT"]
    assert_one_wrong_figure_is_found_out()


def assert_one_wrong_figure_is_found_out() -> None:
    """One figure of one province, a thousandth off in the facts: its pillar disagrees, and no other."""
    own = replay_settings(FRAMEWORK, 2022, get_settings())
    try:
        with connect.engine(own, "loader").begin() as connection:
            changed = connection.execute(
                text(
                    "update facts.declarations set value = value * 0.999"
                    " where unit_id = 'P63-66' and metric = 'households_with_fibre'"
                )
            )
            assert changed.rowcount == 1
        run_id = flow.compute(date(2022, 12, 31), FRAMEWORK, settings=own)["run_id"]
        wrong = [row for row in compare(run_id, 2022, own) if not row["agrees"]]
        assert [(row["unit_name"], row["measure"]) for row in wrong] == [("Đắk Lắk", "HT")]
        columns, rows = run_select("select distinct synthetic from marts.run", own)
        assert (columns, list(rows)) == (["synthetic"], [(True,)])
    finally:
        embedded.stop(own)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("clean_environment")
def test_a_pipeline_that_errs_is_found_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    load = flow.load

    def forgetful(feed: str, night: object, *, settings: Settings) -> object:
        return {} if feed == "staffing" else load(feed, night, settings=settings)  # type: ignore[arg-type]

    monkeypatch.setattr(flow, "load", forgetful)
    assert not run_replay(FRAMEWORK, 2022)
    assert "ranks reproduced: 63 of 63" not in capsys.readouterr().out


@pytest.mark.parametrize("year", [2022, 2023])
def test_the_plan_meets_what_was_published(year: int) -> None:
    """Judged by the oracle's scoring, not by the calibration's own."""
    rows = method.indicators(FRAMEWORK)
    for target in targets(year):
        counts = plan(FRAMEWORK, target)
        metrics = {
            (target.unit_id, metric, feed, "declared" if feed == "declarations" else "measured"): value
            for (feed, metric), value in counts.items()
        } | {(target.unit_id, "months_in_period", "calendar", "measured"): Fraction(12)}
        for pillar, wanted in target.pillars.items():
            own = [row for row in rows if row["pillar_code"] == pillar]
            scored = [method.score(row, target.unit_id, metrics) for row in own]
            assert all(s.status == "scored" for s in scored), (target.name, pillar)
            whole = sum((s.max_points for s in scored), Fraction(0))
            assert abs(sum((s.points for s in scored), Fraction(0)) / whole - wanted) < Fraction(1, 10**6)
            assert sum((points(row, counts) for row in own), Fraction(0)) == sum(
                (s.points for s in scored), Fraction(0)
            )
    assert sum(WEIGHTS.values()) == 1


@pytest.mark.parametrize(
    ("framework", "year", "reason"),
    [
        (FRAMEWORK, 2021, "not published for all 63 provinces"),
        (FRAMEWORK, 2020, "published under 1726"),
        (FRAMEWORK, 2024, "published under 405"),
        ("405-2025", 2023, "no indicators.csv"),
        ("nothing", 2022, "no indicators.csv"),
    ],
)
@pytest.mark.usefixtures("clean_environment")
def test_what_cannot_be_replayed_is_refused_with_the_reason(framework: str, year: int, reason: str) -> None:
    with pytest.raises(ReplayError, match=reason):
        run_replay(framework, year)
