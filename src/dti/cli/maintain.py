"""``dti maintain``: the steps of maintenance by hand, and a table of what they did."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from dti.cli.plain import problems
from dti.errors import ConfigError
from dti.maintenance.model import Tidied
from dti.maintenance.steps import STEPS
from dti.settings import Settings, get_settings


def run_maintenance(
    steps: Sequence[str], *, dry_run: bool, as_json: bool = False, settings: Settings | None = None
) -> None:
    """Do ``steps`` (none: all) and print what each removed and freed. Raises ConfigError for a name that is no step."""
    settings = settings or get_settings()
    if unknown := [name for name in steps if name not in STEPS]:
        raise ConfigError(f"no such step: {unknown[0]}", where="dti maintain", remedy=f"one of: {', '.join(STEPS)}")
    done = []
    for name in steps or STEPS:
        with problems.status(name):
            done.append(STEPS[name](settings, dry_run))
    if as_json:
        sys.stdout.write(json.dumps([asdict(each) for each in done], ensure_ascii=False, indent=2) + "\n")
        return
    _print(done, dry_run)


def _print(done: list[Tidied], dry_run: bool) -> None:
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=130)
    table = Table(title="would remove" if dry_run else "removed", title_justify="left")
    table.add_column("step")
    table.add_column("things", justify="right")
    table.add_column("would free" if dry_run else "freed", justify="right")
    table.add_column("what", overflow="fold")
    for each in done:
        table.add_row(each.step, str(each.removed_count), f"{each.bytes_freed / 2**20:.1f} MB", each.detail)
    console.print(table)
