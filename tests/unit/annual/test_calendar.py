"""The calendar of the years: what ships is sound, and what is wrong in it is said."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
import yaml

from dti.annual.calendar import Calendar, lint_calendar, load_calendar
from dti.clock import ZONE
from dti.errors import ConfigError
from dti.settings import Settings

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def shipped() -> Settings:
    """The settings of the checkout."""
    return Settings(project=PROJECT)


@pytest.fixture
def written(tmp_path, shipped):
    """A function that writes a changed calendar into a project of its own."""
    include = tmp_path / "include"
    (include / "annual").mkdir(parents=True)
    for name in ("frameworks", "reference"):
        (include / name).symlink_to(PROJECT / "include" / name)
    content = yaml.safe_load((shipped.include_dir / "annual" / "calendar.yml").read_text("utf-8"))

    def write(change) -> Settings:
        change(content)
        (include / "annual" / "calendar.yml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
        return Settings(project=tmp_path)

    return write


def entry(content: dict, year: int) -> dict:
    return next(entry for entry in content["years"] if entry["year"] == year)


def test_the_calendar_that_ships_is_sound(shipped):
    assert lint_calendar(load_calendar(shipped), shipped) == []


def test_every_year_stands_in_it_and_only_computable_ones_are_asked_for(shipped):
    calendar = load_calendar(shipped)
    assert [year.year for year in calendar.years] == list(range(2020, 2027))
    assert [year.year for year in calendar.asks_for()] == [2026]
    assert {year.year for year in calendar.years if year.not_computed} == {2020, 2021, 2022, 2023, 2024, 2025}


def test_known_dates_are_quoted_and_our_own_choices_are_marked(shipped):
    calendar = load_calendar(shipped)
    dates = {
        (year.year, name): part.provenance
        for year in calendar.years
        for name in ("collection", "appraisal", "publication")
        if (part := getattr(year, name))
    }
    assert {key for key, provenance in dates.items() if provenance == "ours"} == {
        (2026, "collection"),
        (2026, "appraisal"),
        (2026, "publication"),
    }
    known = {year.year: year.publication.day for year in calendar.years if year.publication and year.year < 2025}
    assert known == {
        2020: date(2021, 10, 19),
        2021: date(2022, 8, 8),
        2022: date(2023, 7, 12),
        2023: date(2025, 2, 7),
        2024: date(2025, 10, 21),
    }


def test_what_counts_is_what_was_known_when_the_appraisal_ended(shipped):
    year = load_calendar(shipped).of(2026)
    assert year is not None
    assert year.as_of == datetime(2027, 6, 3, tzinfo=ZONE)
    assert year.asked_at == datetime(2027, 8, 2, 6, tzinfo=ZONE)


def test_history_is_not_asked_for(shipped):
    calendar = load_calendar(shipped)
    later = Calendar.model_validate(calendar.model_dump() | {"asks_from": date(2027, 8, 3)})
    assert later.asks_for() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: entry(c, 2026).pop("appraisal"), "appraisal not given"),
        (lambda c: entry(c, 2026).pop("framework"), "framework not given"),
        (lambda c: entry(c, 2026)["appraisal"].update(last_day=date(2027, 5, 1)), "before it begins"),
        (lambda c: entry(c, 2026)["appraisal"].update(last_day=date(2027, 8, 2)), "must follow each other"),
        (lambda c: entry(c, 2026)["collection"].update(last_day=date(2027, 5, 20)), "must follow each other"),
        (lambda c: entry(c, 2026)["collection"].update(first_day=date(2026, 12, 31)), "after it is over"),
        (lambda c: entry(c, 2026)["publication"].update(provenance="official"), "provenance"),
        (lambda c: entry(c, 2026)["publication"].pop("source"), "source"),
        (lambda c: c["years"].append(dict(entry(c, 2025))), "once each, in order"),
        (lambda c: entry(c, 2026).update(frmework="922-2022"), "frmework"),
        (lambda c: c.pop("asks_from"), "asks_from"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_and_the_entry_named(written, change, said):
    settings = written(change)
    with pytest.raises(ConfigError) as fault:
        load_calendar(settings)
    assert said in fault.value.what
    assert "calendar.yml" in fault.value.where


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: entry(c, 2026).update(framework="405-2025"), "published results only"),
        (lambda c: entry(c, 2026).update(framework="999-2026"), "no framework 999-2026"),
        (lambda c: entry(c, 2025).update(framework="999-2025"), "no framework 999-2025"),
        (lambda c: entry(c, 2026).update(geography="35"), "no geography 35"),
    ],
)
def test_the_lint_holds_it_against_frameworks_and_units(written, change, said):
    settings = written(change)
    [finding] = lint_calendar(load_calendar(settings), settings)
    assert said in finding.what
    assert finding.remedy


def test_a_finding_names_the_line_of_its_year(shipped, tmp_path, written):
    text = (shipped.include_dir / "annual" / "calendar.yml").read_text("utf-8")
    settings = written(lambda content: None)
    path = settings.include_dir / "annual" / "calendar.yml"
    path.write_text(
        text.replace('    framework: 922-2022\n    geography: "34"', '    framework: gone\n    geography: "34"')
    )
    [finding] = lint_calendar(load_calendar(settings), settings)
    assert text.splitlines()[finding.line - 1].strip() == "- year: 2026"


def test_a_missing_or_broken_file_is_said(written):
    settings = written(lambda content: None)
    path = settings.include_dir / "annual" / "calendar.yml"
    path.write_text("asks_from: [", "utf-8")
    with pytest.raises(ConfigError, match="not YAML"):
        load_calendar(settings)
    path.unlink()
    with pytest.raises(ConfigError, match="no such file"):
        load_calendar(settings)
