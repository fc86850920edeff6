"""``dti correction``: what is corrected, and whether it still must be."""

from __future__ import annotations

import typer

from dti.cli.plain import Json, plain_errors

correction_app = typer.Typer(help="Corrections of what the sources say: include/corrections.", no_args_is_help=True)


@correction_app.command("lint")
def correction_lint() -> None:
    """Find what keeps a correction from being applied, without a warehouse."""
    from dti.cli.correction_show import print_lint

    with plain_errors():
        if not print_lint():
            raise typer.Exit(1)


@correction_app.command("check")
def correction_check(as_json: Json = False) -> None:
    """List every correction, and whether it still held in the newest run; fails when one has expired."""
    from dti.cli.correction_show import print_check

    with plain_errors():
        if not print_check(as_json=as_json):
            raise typer.Exit(1)
