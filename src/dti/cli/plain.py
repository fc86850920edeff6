"""What every command has in common: plain errors on the error stream, and JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from dti.errors import DtiError

problems = Console(stderr=True, highlight=False, soft_wrap=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of a table.")]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print an error of ours as one line that says what to do, and exit non-zero."""
    try:
        yield
    except DtiError as fault:
        problems.print(f"[bold red]{fault.kind}[/bold red] ", end="")
        problems.print(str(fault), markup=False)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(1) from None
