"""Which of several values of a metric counts: by feed, by basis, and the denominator by its numerator."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

RATIO = {"rule": "ratio", "denominator_metric": "d"}
U = "P34-66"
CALENDAR = (U, "d", "calendar", "calendar")


def stated(metric: str, basis: str) -> tuple[str, str, str, str]:
    return (U, metric, "declarations", basis)


def measured(metric: str, feed: str = "online_services") -> tuple[str, str, str, str]:
    return (U, metric, feed, "measured")


@pytest.mark.parametrize(
    ("values", "basis", "numerator"),
    [
        ({measured("n"): 1, stated("n", "appraised"): 2, stated("n", "declared"): 3}, "measured", 1),
        ({stated("n", "appraised"): 2, stated("n", "declared"): 3}, "appraised", 2),
        ({stated("n", "declared"): 3}, "declared", 3),
        ({measured("n"): 0, stated("n", "declared"): 3}, "measured", 0),
        ({measured("n", "staffing"): 9, stated("n", "declared"): 3}, "declared", 3),
        ({measured("n", "staffing"): 9}, None, None),
        ({(U, "n", "calendar", "calendar"): 9}, None, None),
    ],
    ids=[
        "measured first", "then appraised", "then declared", "a measured zero is known", "not another feed's",
        "another feed's alone", "the calendar is no numerator",
    ],
)  # fmt: skip
def test_the_numerator_is_the_first_known_in_the_frameworks_order(
    scorer: Any, framework: Any, values: Any, basis: str | None, numerator: int | None
) -> None:
    scorer.score(framework([{"rule": "target_count", "target": 10}]), values)
    row = scorer.one()
    assert (row["basis"], row["numerator"]) == (basis, numerator)
    assert row["status"] == ("missing" if basis is None else "scored")


def test_the_order_is_the_frameworks(scorer: Any, framework: Any) -> None:
    values = {measured("n"): 1, stated("n", "appraised"): 2, stated("n", "declared"): 3}
    indicator = {"rule": "target_count", "target": 10}
    scorer.score(framework([indicator], basis_order=["appraised", "measured", "declared"]), values)
    assert scorer.one()["basis"] == "appraised"
    scorer.score(framework([indicator], basis_order=["declared"]), {measured("n"): 1})
    assert scorer.one()["status"] == "missing", "a basis that the framework does not list never counts"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({measured("n"): 1, measured("d"): 2, stated("d", "appraised"): 4}, ("measured", "measured", 2)),
        ({stated("n", "declared"): 1, measured("d"): 2, stated("d", "declared"): 4}, ("declared", "declared", 4)),
        ({stated("n", "declared"): 1, measured("d"): 2, stated("d", "appraised"): 4}, ("declared", "measured", 2)),
        ({measured("n"): 1, stated("d", "appraised"): 4, stated("d", "declared"): 5}, ("measured", "appraised", 4)),
        ({measured("n"): 1, measured("d", "staffing"): 4}, ("measured", None, None)),
        ({measured("n"): 1, CALENDAR: 3}, ("measured", "calendar", 3)),
        ({measured("n"): 1, stated("d", "declared"): 5, CALENDAR: 3}, ("measured", "declared", 5)),
        ({stated("n", "declared"): 1, stated("d", "declared"): 0, measured("d"): 2}, ("declared", "declared", 0)),
        ({measured("d"): 2}, (None, "measured", 2)),
    ],
    ids=[
        "same basis", "same basis though a better one is known", "else by the order", "else by the order, next",
        "never another feed's", "the calendar", "the calendar last", "a stated zero is known", "denominator alone",
    ],
)  # fmt: skip
def test_the_denominator_follows_its_numerator(scorer: Any, framework: Any, values: Any, expected: Any) -> None:
    scorer.score(framework([RATIO]), values)
    row = scorer.one()
    assert (row["basis"], row["denominator_basis"], row["denominator"]) == expected


def test_one_metric_may_be_measured_by_several_feeds(scorer: Any, framework: Any) -> None:
    """agencies_total of the staffing reports is not agencies_total of the inventory."""
    method = framework([{"feed": feed, **RATIO} for feed in ("staffing", "platform_inventory")])
    values = {measured("n", feed): 1 for feed in ("staffing", "platform_inventory")}
    scorer.score(method, {**values, measured("d", "staffing"): 2, measured("d", "platform_inventory"): 4})
    assert [scorer.one(code=code)["denominator"] for code in ("1.1", "1.2")] == [2, 4]


def test_a_run_says_synthetic_only_for_sources_whose_values_were_chosen(scorer: Any, framework: Any) -> None:
    def is_synthetic(values: Any) -> bool:
        scorer.begin(framework([{"rule": "target_count", "target": 10}]), values)
        scorer.connection.execute(
            text(
                "update score.metric_value"
                " set source_ids = array[case basis when 'measured' then 'real' else 'made_up' end]"
            )
        )
        for name in ("10_indicator_input.sql", "50_run.sql"):
            scorer.execute_file(name)
        (run,) = scorer.rows("run")
        return bool(run["synthetic"])

    both = {measured("n"): 1, stated("n", "declared"): 3}
    assert is_synthetic(both), "a source that nobody registered cannot vouch for itself"
    scorer.connection.execute(
        text(
            "insert into ops.source values ('real', 'online_services', 'a', 'o', 'l', false, 'p', true, 1),"
            " ('made_up', 'declarations', 'a', 'o', 'l', true, 'p', true, 1)"
        )
    )
    assert not is_synthetic(both), "the made-up figure was not chosen"
    assert is_synthetic({stated("n", "declared"): 3})
    assert not is_synthetic({}), "what is not there is not made up"
