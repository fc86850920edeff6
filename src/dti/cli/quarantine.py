"""``dti quarantine``: what was held back, for the operator, the agency, and the person who vouches for it."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from dti.cli.plain import Json, plain_errors, problems

quarantine_app = typer.Typer(help="Quarantine: rows held back, each with rule and reason.", no_args_is_help=True)

Since = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only of this night and later ones; default: all.")
]


@quarantine_app.command("list")
def list_held(
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    feed: Annotated[str | None, typer.Option(help="Only of this feed.")] = None,
    since: Since = None,
    rule: Annotated[str | None, typer.Option(help="Only rows that broke this rule.")] = None,
    batch: Annotated[str | None, typer.Option(help="Only of this batch.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also released, resubmitted and repeated rows.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows of the table; JSON has all.")] = 50,
    as_json: Json = False,
) -> None:
    """Show rows that are held back: which source, which night, which row, why, and what became of it."""
    from dti.cli.quarantine_show import print_held
    from dti.quarantine.find import EVERY, OPEN, Wanted

    wanted = Wanted(source, feed, _day(since), rule, batch, EVERY if everything else OPEN)
    with plain_errors():
        print_held(wanted, limit=limit, as_json=as_json)


@quarantine_app.command()
def export(
    source: Annotated[str, typer.Argument(help="The source whose rows its agency shall mend.")],
    since: Since = None,
    out: Annotated[Path | None, typer.Option(help="File to write: .xlsx or .csv; default: CSV on the screen.")] = None,
) -> None:
    """Write a source's held rows for its agency: in its own column names, with the reasons in Vietnamese."""
    from dti.quarantine import Wanted, held_rows, write_export
    from dti.settings import get_settings

    with plain_errors():
        settings = get_settings()
        rows = list(held_rows(Wanted(source_id=source, since=_day(since)), settings=settings))
        write_export(rows, out or sys.stdout, settings=settings)
        problems.print(f"{sum(row.rows_count for row in rows)} rows of {source}{f' in {out}' if out else ''}")


@quarantine_app.command()
def release(
    batch: Annotated[str, typer.Argument(help="The batch that holds the rows; see: dti quarantine list.")],
    by: Annotated[str, typer.Option(help="Who vouches for the rows.")],
    reason: Annotated[str, typer.Option(help="Why they are right as they are; kept with them for good.")],
    rows: Annotated[str | None, typer.Option(help="Which rows, such as 3,7-9; default: all still held.")] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Waive this rule only: rows that broke no other. May be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Release rows that a person vouches for: they land again as a batch of their own, and are judged and loaded."""
    from dti import flow

    with plain_errors():
        done = flow.release(batch, rows=rows, rules=rule or (), by=by, reason=reason)
        if as_json:
            typer.echo(json.dumps(done, ensure_ascii=False, indent=2))
            return
        waived = ", ".join(done["waived_rules"]) or "no rule"
        problems.print(f"{done['rows']} rows of {batch} landed again in {done['batch_id']}, waiving {waived}")
        problems.print(f"{done['rows_loaded']} loaded, {done['rows_quarantined']} held back")


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
