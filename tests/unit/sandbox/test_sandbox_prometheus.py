"""The monitors: range queries as Prometheus answers them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import requests
import yaml

from sandbox import truth
from sandbox.portals.agencies import World
from sandbox.portals.monitor import Query, evaluate, expression, seconds, understand
from sandbox.world.data_centres import MEASURES
from sandbox.world.times import midnight
from tests.unit.sandbox.served import NIGHT, Served

START, END = midnight(date(2026, 6, 1)), midnight(date(2026, 7, 1))


def ask(served: Served, agency: str = "dak-lak", **given: Any) -> requests.Response:
    params = {"query": expression("up_share", "20m"), "start": START, "end": END, "step": 1200} | given
    return requests.get(f"{served.url}/prometheus/{agency}/api/v1/query_range", params=params, timeout=30)


@pytest.mark.parametrize("agency", ["dak-lak", "quoc-gia"])
def test_every_expression_of_the_source_files_is_known(agency: str) -> None:
    with open(f"include/sources/sandbox/prometheus-{agency}.yml", encoding="utf-8") as text:  # noqa: PTH123
        connector = yaml.safe_load(text)["connector"]
    assert [q["measure"] for q in connector["queries"]] == list(MEASURES)
    for query in connector["queries"]:
        understood = understand(query["promql"])
        assert understood is not None
        assert understood.measure == query["measure"]
        if "[" in query["promql"]:
            assert understood.window == connector["step_seconds"] == truth.STEPS[f"prometheus-{agency}"]


def test_a_matrix_comes_back_by_get_and_by_post(served: Served) -> None:
    got = ask(served)
    document = got.json()
    assert (document["status"], document["data"]["resultType"]) == ("success", "matrix")
    (series,) = document["data"]["result"]
    assert series["metric"] == {"data_centre": "ttdl-66-1"}
    moments = [moment for moment, _ in series["values"]]
    assert set(moments) <= set(range(START, END + 1, 1200))
    assert len(moments) > 2000
    assert all(0 <= float(value) <= 1 for _, value in series["values"])
    form = {"query": expression("up_share", "20m"), "start": START, "end": END, "step": "20m"}
    posted = requests.post(f"{served.url}/prometheus/dak-lak/api/v1/query_range", data=form, timeout=30)
    assert posted.json() == document


def test_the_point_limit_speaks_as_prometheus_does(served: Served) -> None:
    assert ask(served, start=END - 11_000 * 60, step=60).status_code == 200
    refused = ask(served, start=END - 11_001 * 60, step=60)
    assert refused.status_code == 400
    assert refused.json() == {
        "status": "error",
        "errorType": "bad_data",
        "error": "exceeded maximum resolution of 11,000 points per timeseries. "
        "Try decreasing the query resolution (?step=XX)",
        "synthetic": True,
    }


@pytest.mark.parametrize(
    "wrong", [{"query": "up"}, {"query": ""}, {"start": "gestern"}, {"end": START - 1}, {"step": "0"}, {"step": "1x"}]
)
def test_a_wrong_parameter_is_named(served: Served, wrong: dict[str, Any]) -> None:
    refused = ask(served, **wrong)
    assert (refused.status_code, refused.json()["errorType"]) == (400, "bad_data")
    assert f'"{next(iter(wrong))}"' in refused.json()["error"]


def test_a_partial_answer_warns(served: Served) -> None:
    query = expression("storage_utilisation_pct", "12h")
    assert "warnings" in ask(served, "quoc-gia", query=query, step="12h").json()
    assert "warnings" not in ask(served, "dak-lak", query=query, step="12h").json()


def test_no_sample_lies_ahead_of_the_clock(served: Served) -> None:
    (series,) = ask(served, end=END + 86_400).json()["data"]["result"]
    assert max(moment for moment, _ in series["values"]) == END + 2 * 3600


def test_a_sample_does_not_depend_on_what_is_asked_with_it() -> None:
    world, clock = World(), END
    for measure in MEASURES:
        query = Query(measure, 1200)
        (whole,) = evaluate(world, "dak-lak", query, START, END, 1200, clock)
        middle = START + 1200 * 1000
        (part,) = evaluate(world, "dak-lak", query, middle, END, 1200, clock)
        expected = dict(zip(whole.moments.tolist(), whole.values, strict=True))
        assert {m: expected[m] for m in part.moments.tolist()} == dict(
            zip(part.moments.tolist(), part.values, strict=True)
        )


def test_downtime_adds_up_whatever_the_window() -> None:
    """What is lost in the windows of 20 minutes is what is lost in the windows of a day."""
    lost: list[dict[str, float]] = []
    for window in (1200, 86_400):
        found = evaluate(World(), "quoc-gia", Query("up_share", window), START + window, END, window, END)
        lost.append({s.labels["data_centre"]: sum(1 - float(v) for v in s.values) * window for s in found})
    # A scrape that failed hides what happened in its window, so not every centre adds up to the second.
    same = [centre for centre, seconds_lost in lost[1].items() if abs(lost[0][centre] - seconds_lost) < 1]
    assert len(same) > 30
    assert sum(lost[1][centre] for centre in same) > 10_000


def test_a_province_that_is_merged_away_has_no_samples_after() -> None:
    merger = midnight(date(2025, 7, 1))
    series = list(
        evaluate(World(), "quoc-gia", Query("servers_total", 300), merger - 86_400, merger + 86_400, 3600, END)
    )
    for each in series:
        is_old = "-cu-" in each.labels["data_centre"]
        assert (each.moments < merger).all() if is_old else (each.moments >= merger).all()
    assert len({s.labels["data_centre"].split("-")[1] for s in series if "-cu-" in s.labels["data_centre"]}) == 62


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("1.5", 1.5), ("20m", 1200), ("1h30m", 5400), ("1d", 86_400)])
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


def test_night_is_covered_by_truth() -> None:
    found = [d.record for d in truth.delivered("prometheus-dak-lak", NIGHT, since=NIGHT)]
    assert {r["measure"] for r in found} == set(MEASURES)
    assert all(midnight(NIGHT) <= r["sampled_at"] < END for r in found)
