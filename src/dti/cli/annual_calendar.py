"""``dti annual calendar``: the years, their dates, and where the dates come from."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from dti.annual.calendar import Publication, Window, Year, lint_calendar, load_calendar
from dti.cli.annual_show import console, print_json
from dti.cli.plain import problems
from dti.settings import Settings, get_settings

_OURS = "* our own choice, not official"


def print_calendar(*, as_json: bool = False, settings: Settings | None = None) -> bool:
    """Print the calendar; True when frameworks and units bear it out."""
    settings = settings or get_settings()
    calendar = load_calendar(settings)
    findings = lint_calendar(calendar, settings)
    if as_json:
        print_json(
            calendar.model_dump(mode="json")
            | {"asks_for": [entry.year for entry in calendar.asks_for()], "findings": [str(f) for f in findings]}
        )
        return not findings
    asked = {entry.year for entry in calendar.asks_for()}
    table = Table(box=None, pad_edge=False)
    for name in ("year", "framework", "units", "collected", "appraised", "published", "asked for by itself"):
        table.add_column(name)
    for entry in calendar.years:
        table.add_row(
            str(entry.year),
            entry.framework or "–",
            entry.geography or "–",
            _window(entry.collection),
            _window(entry.appraisal),
            _day(entry.publication),
            Text(_asked(entry, entry.year in asked)),
        )
    out = console()
    out.print(table)
    out.print(_OURS, style="yellow")
    for finding in findings:
        problems.print(f"! {finding}", markup=False)
    return not findings


def _window(window: Window | None) -> Text:
    return _dated(f"{window.first_day} → {window.last_day}", window.provenance) if window else Text("not known", "dim")


def _day(publication: Publication | None) -> Text:
    return _dated(str(publication.day), publication.provenance) if publication else Text("not known", "dim")


def _dated(text: str, provenance: str) -> Text:
    return Text(f"{text}*", "yellow") if provenance == "ours" else Text(text)


def _asked(entry: Year, asked: bool) -> str:
    if asked and entry.asked_at and entry.as_of:
        return f"{entry.asked_at:%Y-%m-%d %H:%M}, as of {entry.as_of:%Y-%m-%d %H:%M}"
    return f"no: {entry.not_computed}" if entry.not_computed else "no: its date had passed"
