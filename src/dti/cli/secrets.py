"""``dti secrets``: what this installation keeps secret, and new ones in their place. No secret is ever printed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dti.cli.plain import plain_errors, problems
from dti.errors import ConfigError

secrets_app = typer.Typer(help="Secrets of this DTI_HOME: list them, replace them.", no_args_is_help=True)


@secrets_app.command("list")
def show() -> None:
    """Show which secrets there are and what each is for."""
    from dti import secrets
    from dti.settings import get_settings
    from dti.warehouse.rotation import SECRETS

    with plain_errors():
        there = secrets.names(get_settings())
        table = Table(box=None, pad_edge=False)
        for column in ("secret", "what it is for", ""):
            table.add_column(column, overflow="fold")
        for name, each in SECRETS.items():
            made = "" if name in there else "not made yet"
            table.add_row(name, each.what, "never changes" if each.fixed else made)
        Console(file=sys.stdout, highlight=False).print(table)


@secrets_app.command("rotate")
def rotate(
    names: Annotated[list[str] | None, typer.Argument(help="Secrets; see dti secrets list.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every one that may change.")] = False,
) -> None:
    """Replace secrets by new ones. First make down, and no night may run; the next make up takes them up."""
    from dti.settings import get_settings
    from dti.warehouse.rotation import SECRETS
    from dti.warehouse.rotation import rotate as replace

    with plain_errors():
        if every == bool(names):
            raise ConfigError("name secrets, or give --all", where="dti secrets rotate", remedy="see dti secrets list")
        wanted = names or [each.name for each in SECRETS.values() if not each.fixed]
        for name in replace(wanted, settings=get_settings()):
            print(f"✓ {name}: replaced")  # noqa: T201
        problems.print("Airflow takes them up at the next make up")
