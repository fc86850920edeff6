"""``python -m dti_airflow``: run, up, down, status for the Makefile; init, serve, healthy, night for containers."""

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


@app.command()
def init() -> None:
    """On a server of one's own: bring both databases up to date, make pools and the first user."""
    from dti_airflow import server

    server.initialise(get_settings(), console)


@app.command()
def serve(
    name: Annotated[str, typer.Argument(help="api-server, scheduler, dag-processor, triggerer or worker.")],
) -> None:
    """On a server of one's own: be one process of Airflow."""
    from dti_airflow import server

    server.serve(get_settings(), name)


@app.command()
def healthy(name: Annotated[str, typer.Argument(help="A service, or sandbox.")]) -> None:
    """On a server of one's own: exit with 0 if that process is at work, else with 1."""
    from dti_airflow import health

    if not health.healthy(name):
        raise typer.Exit(1)


@app.command()
def night(
    date: Annotated[str, typer.Option(help="The night to run, as YYYY-MM-DD; default: the last one.")] = "",
) -> None:
    """On a server of one's own: have the scheduler run one night now, and print what came out."""
    from dti_airflow.asked_night import ask_night

    ask_night(_day(date) if date else None, get_settings(), console)


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def airflow(arguments: Annotated[list[str], typer.Argument(help="What Airflow's command line takes.")]) -> None:
    """Run a command of Airflow's own in this project's environment: airflow backfill create --dag-id …"""
    import os

    from dti_airflow import server
    from dti_airflow.environment import airflow_environment

    settings = get_settings()
    ours = server.server_environment(settings) if server.is_server(settings) else airflow_environment(settings)
    server.run_airflow(arguments, os.environ | ours)


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
