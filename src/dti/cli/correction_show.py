"""Corrections as a person reads them: what is wrong in the files, what became of each, and which have expired."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dti.index.corrections import Correction, correction_files, lint_corrections, load_corrections
from dti.settings import Settings, get_settings
from dti.warehouse.query import run_select

_STYLE = {"applied": "green", "flagged": "cyan", "expired": "bold red", "not_applicable": "yellow"}
_OF_RUN = """
    select c.* from marts.run as r
    inner join marts.correction as c on c.run_id in (r.run_id, r.parts_run_id)
    where r.run_id = %(run)s and c.status = 'expired'
    order by c.correction_id
"""
_NEWEST = """
    select distinct on (c.correction_id) c.*
    from marts.correction as c
    inner join marts.run as r using (run_id)
    order by c.correction_id, (r.kind in ('night', 'night_parts')) desc, r.as_of_date desc, r.finished_at desc
"""


def warn_of_expired(run_id: str | None, out: Console, settings: Settings | None = None) -> None:
    """One line for every correction that ``run_id`` (None: the newest nightly run) no longer applied."""
    settings = settings or get_settings()
    if run_id is None:
        newest = _select("select run_id from marts.latest_run", settings)
        run_id = newest[0]["run_id"] if newest else None
    for row in _select(_OF_RUN, settings, run=run_id):
        said = f"! correction {row['correction_id']} expired: {row['unit_name']} ({row['unit_id']}) {row['target']}"
        out.print(f"{said}: {row['detail']}", style=_STYLE["expired"], markup=False, soft_wrap=True)


def _select(sql: str, settings: Settings, **known: object) -> list[dict[str, Any]]:
    columns, rows = run_select(sql, settings, known or None)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def print_lint(settings: Settings | None = None) -> bool:
    """Print what is wrong in the files. True when nothing is."""
    settings = settings or get_settings()
    findings = lint_corrections(settings)
    out = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        out.print(f"✗ {finding}", markup=False)
    if not findings:
        count = len(load_corrections(settings).corrections)
        out.print(f"✓ {count} corrections in {len(correction_files(settings))} files: nothing to mend", markup=False)
    return not findings


def print_check(*, as_json: bool = False, settings: Settings | None = None) -> bool:
    """Print every correction beside what the newest run that knows it made of it. True when none has expired.

    Raises ConfigError when the files do not stand, WarehouseError when the warehouse does not answer.
    """
    settings = settings or get_settings()
    corrections = load_corrections(settings).corrections
    seen = {row["correction_id"]: row for row in _select(_NEWEST, settings)}
    told = [_told(each, seen.get(each.id)) for each in corrections]
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2, default=str) + "\n")
    else:
        _print_table(told)
    return all(each["status"] != "expired" for each in told)


def _told(each: Correction, row: dict[str, Any] | None) -> dict[str, Any]:
    """The correction as written, with status, run and detail of the newest run that took it as it is written now."""
    guard = each.guard.value if each.guard else None
    written = (each.unit_id, each.target, each.action, each.given, guard, each.first_day, each.last_day)
    names = ("unit_id", "target", "action", "given_value", "guard_value", "first_day", "last_day")
    known = row if row and tuple(row[name] for name in names) == written else None
    why = "no run yet" if row is None else f"changed since run {row['run_id']}: the next one will tell"
    return {
        **each.model_dump(mode="json"),
        "status": known["status"] if known else "",
        "run_id": known["run_id"] if known else None,
        "held_value": known["held_value"] if known else None,
        "detail": known["detail"] if known else why,
    }


def _print_table(told: list[dict[str, Any]]) -> None:
    out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=150)
    if not told:
        out.print("no corrections in include/corrections")
        return
    table = Table(title="Corrections", title_justify="left")
    for name in ("id", "unit", "value", "days", "action", "newest run", "what became of it"):
        table.add_column(name, overflow="fold")
    for each in told:
        value = " ".join(filter(None, (each["framework"], each["target"], each["feed"], each["basis"])))
        given = "" if each["given"] is None else f" {each['given']}"
        table.add_row(
            each["id"],
            each["unit_id"],
            value,
            f"{each['first_day']} → {each['last_day']}",
            f"{each['action']}{given}",
            Text(f"{each['status'] or '–'}\n{each['run_id'] or ''}".rstrip(), _STYLE.get(each["status"], "dim")),
            Text(each["detail"]),
        )
    out.print(table)
