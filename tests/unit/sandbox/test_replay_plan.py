"""The calibration: another table of the same decision is planned too, or refused with the pillar and the reason."""

from __future__ import annotations

import csv
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from sandbox.replay import plan as planned
from sandbox.replay.targets import COMPOSITES, FOUNDATION, WEIGHTS, NotReplayableError, targets

Change = Callable[..., str]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Change:
    """A function that copies the shipped indicators with one row changed, and names the copy as a framework."""
    source = planned.INCLUDE / "frameworks" / "922-2022" / "indicators.csv"

    def change(code: str, **cells: str) -> str:
        with source.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        folder = tmp_path / "frameworks" / "922-other"
        folder.mkdir(parents=True)
        with (folder / "indicators.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(row | cells if row["code"] == code else row for row in rows)
        monkeypatch.setattr(planned, "INCLUDE", tmp_path)
        planned.indicators.cache_clear()
        return folder.name

    yield change
    planned.indicators.cache_clear()


def test_stated_points_take_their_part(table: Change) -> None:
    framework = table("9.1", rule="manual", numerator_metric="", denominator_metric="", target="")
    target = targets(2022)[0]
    counts = planned.plan(framework, target)
    own = [row for row in planned.indicators(framework) if row["pillar_code"] == "XHS"]
    assert 0 < counts["declarations", "points.922-other.9.1"] < Fraction(own[0]["max_points"])
    reached = sum((planned.points(row, counts) for row in own), Fraction(0)) / 150
    assert abs(reached - target.pillars["XHS"]) < Fraction(1, 10**7)


@pytest.mark.parametrize(
    ("code", "cells", "reason"),
    [
        ("3.3", {"numerator_metric": "agencies_on_the_moon"}, "HT cannot be calibrated: .* agencies_on_the_moon of"),
        ("5.1", {"denominator_metric": "systems_of_neighbours"}, "AT cannot be calibrated: .* systems_of_neighbours"),
        ("7.3", {"rule": "target_count", "denominator_metric": ""}, "CQS cannot be calibrated: .* rule target_count"),
    ],
)
def test_what_no_record_would_measure_is_refused(table: Change, code: str, cells: dict[str, str], reason: str) -> None:
    framework = table(code, **cells)
    with pytest.raises(NotReplayableError, match=reason):
        planned.plan(framework, targets(2022)[0])


def test_published_composites_come_out_of_the_targets_too() -> None:
    """Trà Vinh's composites of 2022 only follow when PDTI is taken a little below its rounded value."""
    published = {"CHINH_QUYEN_SO": "0.6683", "KINH_TE_SO": "0.6647", "XA_HOI_SO": "0.5991"}
    target = next(t for t in targets(2022) if t.name == "Trà Vinh")
    foundation = sum(WEIGHTS[p] * target.pillars[p] for p in FOUNDATION)
    for code, pillar in COMPOSITES.items():
        weight = WEIGHTS[pillar]
        value = (foundation + weight * target.pillars[pillar]) / (Fraction(1, 2) + weight)
        assert f"{float(value):.4f}" == published[code]
