"""What the Makefile calls: ``python -m dti_airflow run | up | down | status``."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from rich.console import Console

from dti.errors import ConfigError, DtiError
from dti.settings import get_settings
from dti_airflow.sandbox import SANDBOX_NIGHT

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
console = Console(stderr=True, highlight=False)


@app.command()
def run(
    night: Annotated[str, typer.Option(help="The night to run, as YYYY-MM-DD.")] = SANDBOX_NIGHT.isoformat(),
) -> None:
    """Run one night through Airflow's own DAGs against the sandbox, and print what came out."""
    from dti_airflow.night import run_night

    run_night(_day(night), get_settings(), console)


@app.command()
def up() -> None:
    """Start Airflow, the sandbox and PostgreSQL, and wait until they are healthy."""
    from dti_airflow import services

    services.up(get_settings(), console)


@app.command()
def down() -> None:
    """Stop all of it."""
    from dti_airflow import services

    with console.status("stopping"):
        services.down(get_settings())
    console.print("stopped")


@app.command()
def status() -> None:
    """Show what runs."""
    from dti_airflow import services

    if not services.status(get_settings(), console):
        raise typer.Exit(1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no day", where="NIGHT", remedy="write it as 2026-06-30") from None


if __name__ == "__main__":
    try:
        app()
    except DtiError as fault:
        console.print(f"[bold red]{fault.kind}[/] ", end="")
        console.print(str(fault), markup=False, soft_wrap=True)
        raise SystemExit(1) from None
