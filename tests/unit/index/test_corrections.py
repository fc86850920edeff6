"""Reading corrections: what they mean, what is refused with the remedy, and by what a set of them is known."""

from __future__ import annotations

import re
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from dti.errors import ConfigError
from dti.index.corrections import (
    CorrectionSet,
    Guard,
    correction_set_of,
    lint_corrections,
    load_corrections,
)
from dti.settings import Settings

SOUND = """
corrections:
  - id: dak-lak-doubled
    unit: Đắk Lắk
    metric: dossiers_received
    from: 2026-03-02
    to: 2026-03-04
    action: scale
    factor: 0.50
    guard: {value: 1346.0}
    reason: the portal sent every dossier twice
    document: 12/CV-SKHCN
"""
INDICATOR = """
corrections:
  - id: drill
    unit: P34-66
    indicator: 7.10
    framework: 922-2022
    year: 2026
    action: override
    value: 3
    guard: {value: missing}
    reason: seen on site
    document: 4/BB
"""


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Settings:
    """A project with the reference data and frameworks that ship, and no corrections."""
    for part in ("reference", "frameworks"):
        shutil.copytree(settings.include_dir / part, tmp_path / "project" / "include" / part)
    return settings.model_copy(update={"project": tmp_path / "project"})


def write(settings: Settings, text: str, name: str = "a.yml") -> Settings:
    folder = settings.include_dir / "corrections"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return settings


def findings(settings: Settings, text: str) -> list[str]:
    return [str(finding) for finding in lint_corrections(write(settings, text))]


def test_without_files_nothing_is_corrected(project: Settings) -> None:
    assert load_corrections(project) == CorrectionSet()
    write(project, "", "empty.yml")
    write(project, "# nothing\n", "remarks.yml")
    assert load_corrections(project) == CorrectionSet()


@pytest.mark.parametrize("page", ["docs/corrections.md", "include/corrections/README.md"])
def test_the_examples_are_sound(settings: Settings, project: Settings, page: str) -> None:
    examples = re.findall(r"```yaml\n(corrections:.*?)```", (settings.project / page).read_text("utf-8"), re.DOTALL)
    assert examples
    for number, example in enumerate(examples):
        write(project, example, f"{number}.yml")
    assert lint_corrections(project) == []


def test_a_correction_is_said_out_in_full(project: Settings) -> None:
    (metric,) = load_corrections(write(project, SOUND)).corrections
    assert (metric.unit_id, metric.feed, metric.basis, metric.given) == (
        "P34-66", "online_services", "measured", Decimal("0.5"),
    )  # fmt: skip
    assert metric.guard_days == (date(2026, 3, 2), date(2026, 3, 4))
    (indicator,) = load_corrections(write(project, INDICATOR)).corrections
    assert (indicator.target_kind, indicator.target) == ("indicator", "7.10"), "a code is no number: 7.10 is not 7.1"
    assert (indicator.first_day, indicator.last_day) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (indicator.guard, indicator.guard_days) == (Guard(value=None), None)


def test_a_name_means_the_unit_of_its_days(project: Settings) -> None:
    (before,) = load_corrections(write(project, SOUND.replace("2026-03", "2024-03"))).corrections
    assert before.unit_id == "P63-66"


@pytest.mark.parametrize(
    ("held", "written", "holds"),
    [
        ("1346", "1346", True), ("1346.4", "1346", True), ("1346.5", "1346", False), ("1346.4", "1346.0", False),
        ("0.329866", "0.33", True), ("0.325", "0.33", True), ("1346", "1346.00", True), (None, "0", False),
        (None, None, True), ("0", None, False), ("1251", "1.25E+3", False),
    ],
)  # fmt: skip
def test_a_guard_compares_the_decimals_it_is_written_with(held: str | None, written: str | None, holds: bool) -> None:
    guard = Guard(value=None if written is None else Decimal(written))
    assert guard.holds(None if held is None else Decimal(held)) == holds


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("metric: dossiers_received", "metric: dossiers_recieved", "unknown metric dossiers_recieved"),
        ("unit: Đắk Lắk", "unit: Đắk Lak City", "unknown unit Đắk Lak City"),
        ("unit: Đắk Lắk", "unit: P63-66", "P63-66 (geography 63) has no days of its own"),
        ("metric: dossiers_received", "metric: months_in_period", "follows from the calendar"),
        ("metric: dossiers_received", "metric: agencies_total", "measured by staffing and platform_inventory"),
        ("metric: dossiers_received", "metric: security_drills", "is stated, never measured"),
        ("metric: dossiers_received", "metric: staff_total\n    feed: online_services", "not measured by feed online"),
        ("metric: dossiers_received", "metric: dossiers_received\n    basis: declared", "give year:"),
        ("metric: dossiers_received", "framework: 922-2022", "must name a metric or an indicator"),
        ("    metric: dossiers_received\n", "    metric: x\n    indicator: '1.1'\n", "and not both"),
        ("factor: 0.50", "value: 3", "scale needs a factor"),
        ("factor: 0.50", "factor: -1", "greater than or equal to 0"),
        ("action: scale\n    factor: 0.50", "action: drop\n    value: 1", "drop takes no value"),
        ("    guard: {value: 1346.0}\n", "", "needs a guard"),
        ("guard: {value: 1346.0}", "guard: {value: twice}", "guard"),
        ("guard: {value: 1346.0}", "guard: {value: 1, from: 2026-03-01}", "only one end"),
        ("guard: {value: 1346.0}", "guard: {value: 1, from: 2025-03-01, to: 2025-03-02}", "another year"),
        ("    document: 12/CV-SKHCN\n", "", "document: Field required"),
        ("reason: the portal sent every dossier twice", "reason: ' '", "reason"),
        ("    to: 2026-03-04\n", "", "it has no period"),
        ("to: 2026-03-04", "to: 2026-03-01", "turn them round"),
        ("to: 2026-03-04", "to: 2027-03-01", "two reporting years"),
        ("from: 2026-03-02\n    to: 2026-03-04", "year: 2025", "could be of the 63 or of the 34"),
        ("action: scale", "action: scale\n    colour: red", "colour: Extra inputs are not permitted"),
        ("action: scale", "action: scale\n    action: drop", "action is given twice"),
        ("corrections:", "correction:", "not one key corrections:"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_is_refused_by_file_entry_and_remedy(
    project: Settings, old: str, new: str, said: str
) -> None:
    assert old in SOUND
    found = findings(project, SOUND.replace(old, new))
    assert any(said in each for each in found), found
    assert all("include/corrections/a.yml:" in each and " — " in each for each in found)
    with pytest.raises(ConfigError, match=r"a\.yml:"):
        load_corrections(project)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("7.10", "99.1", "framework 922-2022 has no indicator 99.1"),
        ("    framework: 922-2022\n", "", "needs its framework"),
        ("922-2022", "2099", "no framework here"),
        ("year: 2026", "from: 2026-01-01\n    to: 2026-12-31", "an indicator is of a whole year"),
        ("year: 2026", "year: 2026\n    basis: measured", "feed and basis go with a metric"),
        ("{value: missing}", "{value: 1, from: 2026-01-01, to: 2026-01-02}", "compared with the value itself"),
    ],
)  # fmt: skip
def test_an_indicator_is_one_of_a_framework(project: Settings, old: str, new: str, said: str) -> None:
    found = findings(project, INDICATOR.replace(old, new))
    assert any(said in each for each in found), found


def test_two_corrections_of_one_value_must_not_overlap(project: Settings) -> None:
    write(project, SOUND)
    again = SOUND.replace("dak-lak-doubled", "again").replace("from: 2026-03-02", "from: 2026-03-04")
    write(project, again, "b.yml")
    (found,) = lint_corrections(project)
    assert "changes the same value on the same days as dak-lak-doubled (a.yml:3)" in found.what
    assert found.file.endswith("b.yml")
    flag = again.replace("action: scale\n    factor: 0.50\n", "action: flag\n")
    assert lint_corrections(write(project, flag, "b.yml")) == [], "a flag changes nothing"
    later = again.replace("from: 2026-03-04", "from: 2026-03-05").replace("to: 2026-03-04", "to: 2026-03-05")
    assert lint_corrections(write(project, later, "b.yml")) == []
    (found,) = lint_corrections(write(project, later.replace("id: again", "id: dak-lak-doubled"), "b.yml"))
    assert "the id is taken by a.yml:3" in found.what


def test_a_set_is_known_by_what_it_says(project: Settings) -> None:
    both = SOUND + INDICATOR.removeprefix("\ncorrections:\n")
    turned = INDICATOR + SOUND.removeprefix("\ncorrections:\n")
    one = load_corrections(write(project, both))
    assert load_corrections(write(project, f"# a remark\n{turned}")).content_hash == one.content_hash
    again = load_corrections(write(project, both.replace("factor: 0.50", "factor: 5e-1")))
    assert again.content_hash == one.content_hash, "the same factor, written otherwise"
    assert load_corrections(write(project, both.replace("1346.0", "1346"))).content_hash != one.content_hash, (
        "a guard of other decimals compares otherwise"
    )
    assert correction_set_of(one.content) == one
    assert correction_set_of(one.content).content_hash == one.content_hash
    assert len({one.content_hash, CorrectionSet().content_hash}) == 2
