"""``dti framework import`` and ``dti framework diff``: an official table becomes a framework, and what that changes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dti.errors import MethodError
from dti.index.annex.adopt import adopt
from dti.index.annex.compare import Difference, compare
from dti.index.annex.folder import write_folder
from dti.index.annex.head import Told, head_of
from dti.index.annex.pages import read_pages
from dti.index.annex.table import read_annex
from dti.index.framework import lint_folder, load_framework
from dti.index.model import Finding, Framework
from dti.settings import Settings, get_settings

_STYLE = {"added": "green", "removed": "red", "moved": "cyan", "renamed": "cyan", "points": "yellow", "rule": "yellow"}


def import_framework(
    file: Path,
    framework_id: str,
    *,
    told: Told,
    replaces: str | None = None,
    out: Path | None = None,
    force: bool = False,
    encoding: str | None = None,
    sheets: Sequence[str] = (),
    as_json: bool = False,
    settings: Settings | None = None,
) -> bool:
    """Read the official table in ``file``, write the framework folder, print what a person should look at.

    True when the lint finds nothing. Raises MethodError when the table cannot be read without guessing, or when the
    folder exists and ``force`` is not given; nothing is written then.
    """
    settings = settings or get_settings()
    replaced = load_framework(replaces, settings=settings) if replaces else None
    annex = read_annex(read_pages(file, encoding=encoding, sheets=sheets), file.name)
    head = head_of(annex.titles, told, replaced, file.name)
    proposal = adopt(annex, framework_id, head, replaced, told.pillar_codes)
    folder = write_folder(proposal, out or settings.include_dir / "frameworks", force=force)
    findings = lint_folder(folder, settings=settings)
    difference = _difference(replaced, folder, settings) if replaced else None
    attention = {row["code"]: row["attention"] for row in proposal.rows if row["attention"]}
    if as_json:
        _print_json(
            {
                "framework": framework_id,
                "folder": str(folder),
                "indicators": len(proposal.rows),
                "manual": [row["code"] for row in proposal.rows if row["rule"] == "manual"],
                "remarks": list(proposal.remarks),
                "attention": attention,
                "difference": difference.model_dump(mode="json") if difference else None,
                "findings": [finding.model_dump() for finding in findings],
            }
        )
        return not findings
    out_console = _console()
    manual = sum(row["rule"] == "manual" for row in proposal.rows)
    out_console.print(
        f"wrote {folder}: {len(proposal.rows)} indicators, {manual} of them by stated points", markup=False
    )
    for remark in proposal.remarks:
        out_console.print(f"! {remark}", markup=False)
    for code, why in attention.items():
        out_console.print(f"? {code}: {why}", markup=False)
    if difference is not None:
        _print_difference(out_console, difference)
    _print_findings(out_console, findings)
    return not findings


def print_difference(before: str, after: str, *, as_json: bool = False, settings: Settings | None = None) -> None:
    """Print what changes from framework ``before`` to ``after`` (ids or folders)."""
    settings = settings or get_settings()
    difference = compare(load_framework(before, settings=settings), load_framework(after, settings=settings))
    if as_json:
        _print_json(difference.model_dump(mode="json"))
    else:
        _print_difference(_console(), difference)


def _difference(replaced: Framework, folder: Path, settings: Settings) -> Difference | None:
    """The difference, unless the new folder is so wrong that the lint must be read first."""
    try:
        return compare(replaced, load_framework(folder, settings=settings))
    except MethodError:
        return None


def _console() -> Console:
    """Standard output; wide enough for a table when it is a file or a pipe."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 150)


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _print_difference(out: Console, difference: Difference) -> None:
    names = f"{difference.before} → {difference.after}"
    if difference.indicators:
        table = Table(
            "change", "code", "indicator", "before", "after", title=f"Indicators, {names}", title_justify="left"
        )
        for changed in difference.indicators:
            style = _STYLE[changed.change]
            cells = (changed.code, changed.name_vi, changed.before, changed.after)
            table.add_row(Text(changed.change, style), *(Text(cell) for cell in cells))
        out.print(table)
    else:
        out.print(f"Indicators, {names}: no difference", markup=False)
    totals = Table("pillar", "name", "points before", "after", "indicators before", "after", title=f"Pillars, {names}")
    for total in difference.pillars:
        figures = (total.points_before, total.points_after, total.indicators_before, total.indicators_after)
        shown = ["–" if figure is None else f"{figure}" for figure in figures]
        totals.add_row(Text(total.pillar, "yellow" if total.is_changed else ""), Text(total.name_vi), *shown)
    out.print(totals)


def _print_findings(out: Console, findings: list[Finding]) -> None:
    for finding in findings:
        out.print(f"✗ {finding}", markup=False)
    if not findings:
        out.print("✓ lint: nothing to mend", markup=False)
