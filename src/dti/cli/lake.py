"""``dti lake``: the lake as a whole."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from dti.cli.plain import plain_errors, problems
from dti.errors import ConfigError

lake_app = typer.Typer(help="The lake: one Delta table a feed.", no_args_is_help=True)


@lake_app.callback()
def _lake() -> None:
    """The lake: one Delta table a feed."""


@lake_app.command("rebuild")
def rebuild(
    feed: Annotated[str | None, typer.Argument(help="A feed; see include/feeds.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every feed.")] = False,
    accept_difference: Annotated[
        bool, typer.Option("--accept-difference", help="Also when facts of the warehouse change by it.")
    ] = False,
) -> None:
    """Write a lost or doubted lake anew from landing, and show that it gives the facts of the warehouse."""
    from dti import flow

    with plain_errors():
        if every == (feed is not None):
            raise ConfigError("name one feed, or give --all", where="dti lake rebuild", remedy="dti lake rebuild --all")
        if feed is not None and feed not in flow.feeds():
            raise ConfigError("no such feed", where=feed, remedy=f"one of: {', '.join(flow.feeds())}")
        console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        for name in flow.feeds() if feed is None else [feed]:
            with problems.status(f"{name}: rebuilding"):
                told = flow.rebuild_lake(name, accept_difference=accept_difference)
            gone, new = told["facts_missing"], told["facts_new"]
            verdict = "equal to the warehouse" if not gone and not new else f"{gone} gone, {new} new"
            console.print(
                f"✓ {name}: {told['rows']} rows of {told['batches']} batches, {told['facts']} facts, {verdict}",
                markup=False,
            )
