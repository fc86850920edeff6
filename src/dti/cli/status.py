"""``dti status``: what needs a person first, then how fresh each source is; and ``dti tell``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from textwrap import shorten

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dti import flow
from dti.attention import Cause, find_causes
from dti.cli.correction_show import warn_of_expired
from dti.cli.plain import problems
from dti.cli.tables import freshness, print_freshness
from dti.settings import Settings, get_settings

NEEDS_A_PERSON = 3
"""Exit code of ``dti status`` when something needs a person; 1 is an error of the command, 2 a wrong use of it."""
SHOWN = 300
"""Signs of a fault that the table shows; the message and ``--json`` hold more of it."""
_STYLE = {"critical": "bold red", "warning": "yellow"}


def print_status(settings: Settings | None = None, *, as_json: bool = False) -> bool:
    """Print what needs a person, and how fresh each source is. True when something needs one."""
    settings = settings or get_settings()
    causes = find_causes(settings)
    if as_json:
        told = {"needs_a_person": [cause.model_dump(mode="json") for cause in causes], "sources": freshness(settings)}
        json.dump(told, sys.stdout, ensure_ascii=False, default=str, indent=2)
        sys.stdout.write("\n")
        return bool(causes)
    _print_causes(causes)
    print_freshness(settings)
    warn_of_expired(None, problems)
    return bool(causes)


def print_told(settings: Settings | None = None, *, as_json: bool = False) -> bool:
    """Tell people, and print how many messages went where. True when every channel took what it was owed."""
    told = flow.tell(settings=settings or get_settings())
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
        return not told["failed"]
    problems.print(f"{len(told['causes'])} causes need a person", markup=False)
    for channel, count in told["told"].items():
        problems.print(f"  {channel}: {count} messages taken", markup=False)
    for fault in told["failed"].values():
        problems.print(f"  {fault}", style="red", markup=False)
    if not told["told"]:
        problems.print("  nobody is told: there is no include/notify.yml", markup=False)
    return not told["failed"]


def _print_causes(causes: Sequence[Cause]) -> None:
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=150)
    if not causes:
        console.print("✓ nothing needs a person", style="green")
        return
    table = Table(title="Needs a person", title_justify="left", title_style="bold", show_lines=True)
    for name in ("what", "agency", "since", "effect on the index", "what to do"):
        table.add_column(name, overflow="fold")
    for cause in causes:
        what = Text(f"{cause.severity}: ", _STYLE[cause.severity])
        what.append(f"{cause.title.en}\n", "default")
        what.append(shorten(cause.what.en, SHOWN, placeholder=" …"), "dim")
        table.add_row(
            what,
            Text(f"{cause.agency}\n{cause.source_id or cause.owner}"),
            str(cause.since or "–"),
            Text(cause.effect.words.en),
            Text(f"{cause.remedy.en}\n→ {cause.runbook}"),
        )
    console.print(table)
