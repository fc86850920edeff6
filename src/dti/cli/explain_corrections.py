"""The part of ``dti explain`` that shows corrections: of the indicator, and of the figures behind it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from dti.cli.explain_evidence import table_of
from dti.explain.figures import plain
from dti.explain.model import CorrectionTold

_STYLE = {"applied": "bold", "flagged": "cyan", "expired": "bold red", "not_applicable": "dim"}


def print_corrections(out: Console, corrections: Sequence[CorrectionTold]) -> None:
    """One row a correction; nothing where there is none."""
    if not corrections:
        return
    table = table_of("Đính chính · Corrections")
    for name in ("id", "giá trị / value", "ngày / days", "đính chính / correction", "nguồn / source", "vì sao / why"):
        table.add_column(name, overflow="fold")
    for each in corrections:
        style = _STYLE[each.status]
        table.add_row(
            Text(each.correction_id, style),
            Text("\n".join(filter(None, (each.target, each.basis, each.unit_id)))),
            Text(f"{each.first_day}\n→ {each.last_day}"),
            Text("\n".join(dict.fromkeys((each.words.vi, each.words.en, each.detail))), style),
            Text(_guard(each)),
            Text(f"{each.reason}\n{each.document}"),
        )
    out.print(table)


def _guard(each: CorrectionTold) -> str:
    if each.guard is None and each.action == "flag":
        return "–"
    guard, held = ("–" if value is None else plain(value, 9) for value in (each.guard, each.held))
    days = f"\n{each.guard_first_day} → {each.guard_last_day}" if each.guard_first_day else ""
    return f"khi viết / then {guard}\nnay / now {held}{days}"
