"""``dti suite``: check the rules before a night depends on them, try one, and judge a night again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dti import clock
from dti.cli.plain import plain_errors

if TYPE_CHECKING:
    from dti.quality.store import Checked

suite_app = typer.Typer(help="Quality suites: what every row, batch and night must keep to.", no_args_is_help=True)
Night = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The night; default: yesterday.")]
_out = Console(highlight=False, soft_wrap=True)
_STYLE = {"critical": "red", "warning": "yellow", "info": "default"}


@suite_app.command("lint")
def lint(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Suites of feeds; default: all, and the rules over the warehouse.")
    ] = None,
) -> None:
    """Find what is wrong with suites: unknown columns, rules that cannot be judged, queries that lack a parameter."""
    from dti.gate import lint_suite
    from dti.quality import lint_rules
    from dti.settings import get_settings

    with plain_errors():
        settings = get_settings()
        faults = [] if files else lint_rules(settings)
        for path in files or sorted(settings.expectations_dir.glob("*.yml")):
            faults += lint_suite(path)
        for fault in faults:
            _out.print(f"✗ {fault}", markup=False)
        if faults:
            raise typer.Exit(1)
        _out.print("✓ nothing to mend")


@suite_app.command("try")
def try_rules(
    rules: Annotated[list[str], typer.Argument(help="Ids of rules over the warehouse.")], night: Night = None
) -> None:
    """Judge rules over the warehouse for a night and show every result; nothing is written down."""
    from sqlalchemy import text

    from dti.errors import ConfigError
    from dti.quality.night import judge_rules
    from dti.quality.rules import load_rules
    from dti.settings import get_settings
    from dti.warehouse import connect

    with plain_errors():
        settings = get_settings()
        known = {rule.rule: rule for rule in load_rules(settings)}
        if unknown := [name for name in rules if name not in known]:
            raise ConfigError(f"no such rule: {', '.join(unknown)}", remedy=f"one of {', '.join(sorted(known))}")
        with connect.engine(settings, "loader").connect() as connection, connection.begin() as transaction:
            connection.execute(text("set transaction isolation level repeatable read"))
            checked, faults = judge_rules(connection, [known[name] for name in rules], _day(night), settings=settings)
            transaction.rollback()
        print_findings(checked)
        if faults:
            raise faults[0]


@suite_app.command("check")
def check(night: Night = None) -> None:
    """Judge all rules over the warehouse for a night again, and write down what they say in place of before."""
    from dti import flow
    from dti.quality import check_night
    from dti.settings import get_settings

    with plain_errors():
        settings = get_settings()
        flow.prepare(settings)
        result = check_night(_day(night), settings=settings)
        print_findings(result.checked, only_failed=True)
        _out.print(", ".join(f"{count} {status}" for status, count in sorted(result.counts().items())))


def print_findings(checked: list[Checked], *, only_failed: bool = False) -> None:
    """A line a finding, rule by rule."""
    for each in checked:
        for finding in each.failed if only_failed else each.findings:
            where = " ".join(part for part in (finding.feed, finding.source_id, finding.unit_id) if part)
            style = _STYLE[each.rule.severity] if finding.status == "failed" else "dim"
            counted = f"{finding.failed_count:,} of {finding.checked_count:,}" if finding.status == "failed" else ""
            parts = (finding.status, each.rule.severity, each.rule.rule, where, counted, finding.detail[:300])
            _out.print(" · ".join(part for part in parts if part), style=style, markup=False)


def _day(night: datetime | None) -> date:
    return night.date() if night else clock.local_day(clock.now()) - timedelta(days=1)
