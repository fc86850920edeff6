"""Commands. Each prints a clear error and exits non-zero on failure; none holds logic of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dti import clock
from dti.errors import DtiError

app = typer.Typer(
    help="The DTI warehouse: from agency systems to the eight pillar indices.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
source_app = typer.Typer(help="Sources: one system of one agency each.", no_args_is_help=True)
framework_app = typer.Typer(help="Frameworks: the method as data.", no_args_is_help=True)
app.add_typer(source_app, name="source")
app.add_typer(framework_app, name="framework")

problems = Console(stderr=True, highlight=False, soft_wrap=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of a table.")]


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except DtiError as fault:
        problems.print(f"[bold red]{fault.kind}[/bold red] ", end="")
        problems.print(str(fault), markup=False)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(1) from None


@app.command()
def setup() -> None:
    """Start the embedded PostgreSQL if needed, migrate, and load reference data."""
    from dti import flow

    with _plain_errors():
        flow.prepare()
        problems.print("warehouse is ready")


@app.command()
def night(
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The night to run; default: yesterday in Việt Nam.")
    ] = None,
    framework: Annotated[str | None, typer.Option(help="Framework of the run; default: the nightly one.")] = None,
) -> None:
    """Run one night without Airflow: pull, check, load, compute, print."""
    from dti.cli.night import run_night

    day = date.date() if date else clock.local_day(clock.now()) - timedelta(days=1)
    with _plain_errors():
        run_night(day, framework)


@app.command()
def sql(select: Annotated[str, typer.Argument(help="One SELECT over the marts.")]) -> None:
    """Run a query as the analysts' role and print CSV."""
    from dti.cli.sql import print_csv

    with _plain_errors():
        print_csv(select)


@app.command()
def status(as_json: Json = False) -> None:
    """Show for each feed and source how fresh its data is and what went wrong."""
    from dti.cli.tables import print_status

    with _plain_errors():
        print_status(as_json=as_json)


@app.command()
def index(
    run: Annotated[str | None, typer.Option(help="A run id; default: the newest nightly run.")] = None,
) -> None:
    """Show the index table: units, eight pillars, PDTI, ranks, coverage."""
    from dti.cli.tables import print_index

    with _plain_errors():
        print_index(run_id=run)


@source_app.command("check")
def source_check(
    file: Annotated[Path, typer.Argument(help="A source YAML file.")],
    connect: Annotated[bool, typer.Option(help="Also read the first page from the agency's system.")] = False,
) -> None:
    """Check a source file before anyone schedules it."""
    from dti.cli.checks import check_source

    with _plain_errors():
        if not check_source(file, connect=connect):
            raise typer.Exit(1)


@framework_app.command("lint")
def framework_lint(path: Annotated[Path, typer.Argument(help="A framework folder.")]) -> None:
    """Find what would make a wrong index in a framework folder."""
    from dti.cli.checks import lint_framework

    with _plain_errors():
        if not lint_framework(path):
            raise typer.Exit(1)
