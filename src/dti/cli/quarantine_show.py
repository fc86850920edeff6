"""Held rows as a table for people, or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby, islice

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dti.cli.plain import problems
from dti.errors import printable
from dti.quarantine.find import HeldRow, Wanted, held_rows
from dti.settings import get_settings

_WITHOUT_WIDTH = 200  # columns where the output is no terminal


def print_held(wanted: Wanted, *, limit: int, as_json: bool) -> None:
    """Print the rows as they come; the table stops at ``limit`` and says how many more there are."""
    rows = held_rows(wanted, settings=get_settings())
    if as_json:
        _print_json(rows)
        return
    shown = list(islice(rows, limit))
    if not shown:
        problems.print("nothing is held back")
        return
    more = sum(1 for _ in rows)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WITHOUT_WIDTH
    for batch_id, of_batch in groupby(shown, key=lambda row: row.batch_id):
        console.print(_table(list(of_batch), batch_id))
    if more:
        problems.print(f"and {more} more: narrow it with --source, --since or --rule, or raise --limit")


def _table(rows: list[HeldRow], batch_id: str) -> Table:
    """The rows of one batch, under its id, which stands on a line of its own to be copied."""
    told = Text(printable(f"{batch_id}\n{rows[0].agency}"), no_wrap=True)
    table = Table("row", "at the agency", "key", "reason", "status", title=told, title_justify="left", show_edge=False)
    for row in rows:
        number = "all" if row.is_batch else str(row.row_number)
        reason = row.reason.removesuffix(f" [{row.source_row}]")  # which stands in a column of its own
        table.add_row(*(Text(printable(cell)) for cell in (number, row.source_row, row.key_text, reason, _status(row))))
    return table


def _status(row: HeldRow) -> str:
    return row.status if row.status_batch_id is None else f"{row.status}: {row.status_batch_id}"


def _print_json(rows: Iterator[HeldRow]) -> None:
    """A list, one row a line, without holding them all."""
    separator = "[\n"
    for row in rows:
        typer.echo(separator + json.dumps(asdict(row), ensure_ascii=False, default=str), nl=False)
        separator = ",\n"
    typer.echo("[]" if separator == "[\n" else "\n]")
