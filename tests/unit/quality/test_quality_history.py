"""A series held against its own past: the SQL agrees with numpy, tells what is unlike, and knows when it cannot say."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import text

from dti.quality.judging import _rows
from dti.quality.rules import HISTORY
from tests.unit.quality.conftest import NIGHT


@pytest.fixture
def hold(world):
    """``hold(rows, **settings)``: findings of series (unit, place, value, records)."""
    judge = world.folder.judge("history").read_text("utf-8")

    def run(rows, source_id=None, **changes):
        world.say("drop table if exists pg_temp.series")
        world.say(
            "create temp table series (feed text, source_id text, unit_id text, place integer, value float8,"
            " records float8) on commit drop"
        )
        world.connection.execute(
            text("insert into series values (null, :source, :unit, :place, :value, :records)"),
            [
                {"source": source_id, "unit": unit, "place": place, "value": value, "records": records}
                for unit, place, value, records in rows
            ],
        )
        values = {**HISTORY, "night": NIGHT, **changes}
        return {row["unit_id"]: row for row in _rows(world.connection, judge, values)}

    return run


def series(unit, tonight, past, records=None):
    return [(unit, place, float(value), records) for place, value in enumerate([tonight, *past])]


def expected(tonight, past, scale, records, limit, least_share, least_step):
    """The same judgement, in numpy."""
    scaled = {
        "count": lambda x: 2 * np.sqrt(x + 0.375),
        "share": lambda x: 2 * np.arcsin(np.sqrt(np.clip(x, 0, 1))),
        "plain": lambda x: x,
    }[scale]
    floor = {"count": 1.0, "share": 1 / np.sqrt(records or 1), "plain": 0.0}[scale]
    middle = np.median(scaled(past))
    spread = max(1.4826 * np.median(np.abs(scaled(past) - middle)), floor)
    move = abs(tonight - np.median(past))
    far = abs(scaled(np.float64(tonight)) - middle) > limit * spread + 1e-9
    return bool(far and move > max(least_step, least_share * abs(np.median(past))) + 1e-9)


def test_it_agrees_with_numpy_on_many_series(hold):
    draw = np.random.default_rng(20260630)
    seen = {"passed": 0, "failed": 0}
    for scale, records in (("count", None), ("share", 60), ("plain", None)):
        rows, wanted = [], {}
        settings = {"scale": scale, "limit": 5, "least_share": 0.3 if scale == "count" else 0, "least_step": 0}
        if scale == "share":
            settings["least_step"] = 0.05
        for number in range(300):
            if scale == "count":
                past, tonight = draw.poisson(draw.uniform(0, 80), 12), draw.poisson(draw.uniform(0, 160))
            elif scale == "share":
                past, tonight = draw.binomial(60, draw.uniform(0, 1), 12) / 60, draw.binomial(60, draw.uniform()) / 60
            else:
                past, tonight = draw.normal(50, draw.uniform(0, 5), 12), draw.normal(50, 12)
            unit = f"{scale} {number}"
            rows += series(unit, tonight, past, records)
            wanted[unit] = expected(tonight, np.asarray(past, float), **settings, records=records)
        found = {unit: bool(row["failed_count"]) for unit, row in hold(rows, **settings).items()}
        assert found == wanted
        for is_wrong in wanted.values():
            seen["failed" if is_wrong else "passed"] += 1
    assert min(seen.values()) > 100, "the series must hold both kinds"


def test_cold_start_says_nothing(hold):
    rows = series("new", 0, [100] * 7) + series("known", 0, [100] * 8) + series("born", 5, [])
    found = hold(rows, scale="count")
    assert found["new"]["failed_count"] is None
    assert found["new"]["detail"] == "cold start: 7 comparable values of the 8 it takes"
    assert found["known"]["failed_count"] == 1
    assert found["known"]["detail"] == "0 where 100 is usual (median of 8)"
    assert found["born"]["failed_count"] is None


def test_few_records_say_nothing_and_count_for_nothing(hold):
    usual = [("u", place, 0.9, 40.0) for place in range(1, 9)]
    thin = [("u", place, 0.0, 2.0) for place in range(9, 13)]
    settings = {"scale": "share", "least_records": 30}
    assert hold([("u", 0, 0.1, 29.0), *usual], **settings)["u"]["failed_count"] is None
    found = hold([("u", 0, 0.1, 40.0), *usual, *thin], **settings)["u"]
    assert (found["failed_count"], found["checked_count"]) == (1, 8)


def test_old_outliers_do_not_hide_new_ones(hold):
    past = [100, 101, 99, 100, 102, 98, 5000, 0, 100, 101, 99, 100]
    assert hold(series("u", 30, past), scale="count")["u"]["failed_count"] == 1
    assert hold(series("u", 103, past), scale="count")["u"]["failed_count"] == 0


def test_a_change_that_does_not_matter_is_not_told(hold):
    still = series("u", 104, [100] * 10)
    assert hold(still, least_share=0.05)["u"]["failed_count"] == 0
    assert hold(still)["u"]["failed_count"] == 1
    assert hold(still, least_step=5)["u"]["failed_count"] == 0


def test_a_source_that_is_silent_tonight_is_told_elsewhere(hold, world):
    world.source("s", "staffing")
    world.batch("s", "staffing", NIGHT - timedelta(days=1))
    rows = series("u", 0, [100] * 10)
    assert hold(rows, source_id="s")["u"]["detail"] == "its source did not deliver this night"
    world.batch("s", "staffing")
    assert hold(rows, source_id="s")["u"]["failed_count"] == 1


def test_nothing_of_tonight_is_not_judged(hold):
    assert hold([("u", place, 9.0, None) for place in range(1, 12)])["u"]["failed_count"] is None
