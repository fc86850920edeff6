"""Keeping a person's screen for what a person wants to read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from rich.console import Console


@contextmanager
def output_to(log: Path, console: Console) -> Iterator[None]:
    """Send what this process and its children print to ``log``, while ``console`` still reaches the person.

    At the level of file descriptors, because Airflow's loggers hold on to the streams they found at import.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    before = console.file
    with log.open("w", encoding="utf-8", buffering=1) as output, os.fdopen(os.dup(saved[1]), "w") as screen:
        console.file = screen
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        try:
            with redirect_stdout(output), redirect_stderr(output):
                yield
        finally:
            console.file = before
            for number, kept in enumerate(saved, start=1):
                os.dup2(kept, number)
                os.close(kept)
