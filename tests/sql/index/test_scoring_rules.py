"""Each rule on each kind of value: known, zero, missing, undefined, above the maximum, below nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

STEPS = [{"threshold": 0, "share": 0}, {"threshold": 1, "share": "0.5"}, {"threshold": 2, "share": 1}]
RATIO = {"rule": "ratio", "denominator_metric": "d"}
TARGET_RATIO = {"rule": "target_ratio", "denominator_metric": "d", "target": "0.5"}
TARGET_COUNT = {"rule": "target_count", "target": 4}
RATIO_STEPS = {"rule": "steps", "denominator_metric": "d", "steps": [{"threshold": "0.5", "share": 1}]}

CASES: dict[str, tuple[dict[str, Any], object, object, str, object, object, bool]] = {
    # name: rule, numerator, denominator → status, value, points of 10, capped
    "yes": ({"rule": "yes_no"}, 1, None, "scored", 1, 10, False),
    "more than yes is yes": ({"rule": "yes_no"}, 3, None, "scored", 3, 10, False),
    "almost yes is no": ({"rule": "yes_no"}, "0.999", None, "scored", "0.999", 0, False),
    "no is known": ({"rule": "yes_no"}, 0, None, "scored", 0, 0, False),
    "yes or no unknown": ({"rule": "yes_no"}, None, None, "missing", None, 0, False),
    "ratio": (RATIO, 3, 4, "scored", "0.75", "7.5", False),
    "ratio whole": (RATIO, 4, 4, "scored", 1, 10, False),
    "ratio above its whole": (RATIO, 5, 4, "scored", "1.25", 10, True),
    "ratio of zero": (RATIO, 0, 4, "scored", 0, 0, False),
    "ratio below zero": (RATIO, -1, 4, "scored", "-0.25", 0, False),
    "ratio over zero": (RATIO, 3, 0, "undefined", None, 0, False),
    "zero over zero": (RATIO, 0, 0, "undefined", None, 0, False),
    "less than nothing is no whole": (RATIO, -3, -4, "undefined", None, 0, False),
    "numerator unknown": (RATIO, None, 4, "missing", None, 0, False),
    "denominator unknown": (RATIO, 3, None, "missing", None, 0, False),
    "unknown over zero is unknown": (RATIO, None, 0, "missing", None, 0, False),
    "nothing known": (RATIO, None, None, "missing", None, 0, False),
    "target halfway": (TARGET_RATIO, 1, 4, "scored", "0.25", 5, False),
    "target reached": (TARGET_RATIO, 2, 4, "scored", "0.5", 10, False),
    "target exceeded": (TARGET_RATIO, 3, 4, "scored", "0.75", 10, True),
    "target over zero": (TARGET_RATIO, 3, 0, "undefined", None, 0, False),
    "count halfway": (TARGET_COUNT, 2, None, "scored", 2, 5, False),
    "count reached": (TARGET_COUNT, 4, None, "scored", 4, 10, False),
    "count exceeded": (TARGET_COUNT, 9, None, "scored", 9, 10, True),
    "count unknown": (TARGET_COUNT, None, None, "missing", None, 0, False),
    "lowest step": ({"rule": "steps", "steps": STEPS}, 0, None, "scored", 0, 0, False),
    "between steps": ({"rule": "steps", "steps": STEPS}, "1.9", None, "scored", "1.9", 5, False),
    "on a step": ({"rule": "steps", "steps": STEPS}, 2, None, "scored", 2, 10, False),
    "beyond the last step": ({"rule": "steps", "steps": STEPS}, 7, None, "scored", 7, 10, False),
    "below the first step": ({"rule": "steps", "steps": STEPS}, -1, None, "scored", -1, 0, False),
    "steps unknown": ({"rule": "steps", "steps": STEPS}, None, None, "missing", None, 0, False),
    "steps of a fraction": (RATIO_STEPS, 2, 4, "scored", "0.5", 10, False),
    "points stated": ({"rule": "manual"}, "7.5", None, "scored", "7.5", "7.5", False),
    "all points stated": ({"rule": "manual"}, 10, None, "scored", 10, 10, False),
    "more points stated than there are": ({"rule": "manual"}, 12, None, "scored", 12, 10, True),
    "less than no points stated": ({"rule": "manual"}, -1, None, "scored", -1, 0, False),
    "no points stated": ({"rule": "manual"}, None, None, "missing", None, 0, False),
    "points of nothing": ({"rule": "manual", "max_points": 0}, 3, None, "undefined", None, 0, False),
    "just under a step of a fraction": (RATIO_STEPS, "1.999999999999", 4, "scored", "0.49999999999975", 0, False),
}


def test_every_rule_scores_every_kind_of_value(scorer: Any, framework: Any) -> None:
    indicators, values = [], {}
    for number, (rule, numerator, denominator, *_) in enumerate(CASES.values(), start=1):
        own = {**rule, "numerator_metric": f"n{number}"}
        if "denominator_metric" in own:
            own["denominator_metric"] = f"d{number}"
        indicators.append(own)
        for metric, value in ((f"n{number}", numerator), (f"d{number}", denominator)):
            if value is not None:
                values["P34-66", metric, "online_services", "measured"] = value
    scorer.score(framework(indicators), values)
    found = {row["indicator_code"]: row for row in scorer.rows("indicator_score", "unit_id = 'P34-66'")}
    for number, (name, case) in enumerate(CASES.items(), start=1):
        row, (status, value, points, capped) = found[f"1.{number}"], case[3:]
        expected = (status, None if value is None else Decimal(str(value)), Decimal(str(points)), capped)
        assert (row["status"], row["value"], row["points"], row["is_capped"]) == expected, name


def test_a_share_keeps_at_least_24_decimals(scorer: Any, framework: Any) -> None:
    target = {"rule": "target_ratio", "denominator_metric": "d", "target": "0.7"}
    known = {("P34-66", "n", "online_services", "measured"): 1, ("P34-66", "d", "online_services", "measured"): 3}
    scorer.score(framework([RATIO, target]), known)
    third = Decimal("3.333333333333333333333333")
    assert abs(scorer.one(code="1.1")["points"] - third) < Decimal("1e-23")
    assert abs(scorer.one(code="1.2")["points"] - third / Decimal("0.7")) < Decimal("1e-22")


def test_large_counts_divide_as_finely_as_small_ones(scorer: Any, framework: Any) -> None:
    known = {
        ("P34-66", "n", "online_services", "measured"): 10**15 + 1,
        ("P34-66", "d", "online_services", "measured"): 3 * 10**15,
    }
    scorer.score(framework([RATIO]), known)
    assert scorer.one()["value"] == pytest.approx(Decimal(10**15 + 1) / (3 * 10**15), abs=Decimal("1e-24"))
