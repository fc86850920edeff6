"""``dti explain`` tells what was corrected: the original, why, and what no longer holds."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dti.cli import explain as printed

HALVED = """
  - id: halved
    unit: P34-66
    metric: dossiers_received
    from: 2026-03-01
    to: 2026-03-01
    action: scale
    factor: 0.5
    guard: {value: GUARD}
    reason: sent twice
    document: 12/CV
"""


@pytest.fixture
def corrected(filled: Any, tmp_path: Path) -> Callable[[str], Any]:
    """The filled house, whose project also has these corrections, computed anew."""
    project = tmp_path / "corrected"
    shutil.copytree(filled.settings.include_dir, project / "include")
    shutil.copytree(filled.framework, project / "include/frameworks/little")
    house = replace(filled, settings=filled.settings.model_copy(update={"project": project}))

    def compute(entries: str) -> Any:
        file = project / "include" / "corrections" / "a.yml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"corrections:{entries}", "utf-8")
        house.run()
        return house

    return compute


def print_out(told: Any) -> str:
    out = Console(width=200, record=True, file=io.StringIO())
    printed._print(out, told)
    return out.export_text()


def test_a_corrected_metric_keeps_what_the_source_said(corrected: Callable[[str], Any]) -> None:
    told = corrected(HALVED.replace("GUARD", "600")).ask("1.1")
    assert told.calculation.en.startswith("222 of 373 dossiers = ")
    lower = told.parts[1].values[0]
    assert (lower.value, lower.original_value) == (373, 673)
    assert told.parts[0].values[0].original_value is None
    (correction,) = told.corrections
    assert (correction.status, correction.original, correction.corrected) == ("applied", 673, 373)
    assert (correction.guard, correction.held, correction.guard_first_day) == (600, 600, date(2026, 3, 1))
    assert correction.words.en == "scale by 0.5, applied: 673 → 373"
    assert "dossiers_received was corrected; the records below are what the source sent." in [n.en for n in told.notes]
    text = print_out(told)
    for said in ("halved", "original 673", "sent twice", "12/CV", "673 → 373"):
        assert said in text
    as_json = json.loads(told.model_dump_json())["corrections"][0]
    assert (as_json["given"], as_json["document"], as_json["status"]) == (0.5, "12/CV", "applied")


def test_an_expired_correction_is_told_and_does_nothing(corrected: Callable[[str], Any]) -> None:
    told = corrected(HALVED.replace("GUARD", "1200")).ask("1.1")
    assert told.calculation.en.startswith("222 of 673 dossiers = ")
    (correction,) = told.corrections
    assert (correction.status, correction.guard, correction.held) == ("expired", 1200, 600)
    assert "EXPIRED" in print_out(told)
    assert "the source now holds 600, the guard says 1200" in correction.detail
    assert not any("was corrected" in note.en for note in told.notes)


@pytest.mark.parametrize(
    ("action", "said", "points"),
    [
        ("action: drop", "Correction by-hand: 32.986627 % dropped → 0 of 15 points, and coverage is lower", 0),
        (
            "action: override\n    value: 0.4",
            "Correction by-hand: 40 % in place of 32.986627 %; target 50 % → 15 × 0.8 = 12.0000 of 15 points",
            12,
        ),
        (
            "action: scale\n    factor: 2",
            (
                "Correction by-hand: 65.973254 % in place of 32.986627 %; target 50 % (beyond the whole, 131.95 %:"
                " counts as 100 %) → 15 × 1 = 15.0000 of 15 points"
            ),
            15,
        ),
    ],
    ids=["drop", "override", "scale"],
)
def test_a_corrected_indicator_is_calculated_from_its_correction(
    corrected: Callable[[str], Any], action: str, said: str, points: int
) -> None:
    told = corrected(
        "\n  - id: by-hand\n    unit: P34-66\n    framework: little\n    indicator: '1.1'\n    year: 2026\n"
        f"    {action}\n    guard: {{value: 0.33}}\n    reason: r\n    document: d\n"
    ).ask("1.1")
    assert told.calculation.en == said
    assert told.result.points == points
    assert told.result.original_value is not None
    assert abs(told.result.original_value - Decimal("0.329866")) < Decimal("1e-6")
    assert told.remedy is None
    assert [c.correction_id for c in told.corrections] == ["by-hand"]


def test_another_indicator_is_not_told_of_it(corrected: Callable[[str], Any]) -> None:
    assert corrected(HALVED.replace("GUARD", "600")).ask("2.1").corrections == []
