"""``dti replay``: a published year from calibrated raw records, held against what was published.

The whole pipeline runs on them, from extract to marts.

The records are served by the sandbox, as a process of its own: the library knows no made-up agency.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import requests
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dti.cli.night import run_steps
from dti.cli.replay_compare import WHOLE, Figure, compare, summary
from dti.errors import DtiError
from dti.settings import Settings, get_settings
from dti.warehouse import embedded

PATIENCE_SECONDS = 120


class ReplayError(DtiError):
    """The year cannot be replayed, or the sandbox did not serve it."""

    kind = "replay"


def run_replay(framework: str, year: int, *, as_json: bool = False) -> bool:
    """Replay ``year`` in a DTI_HOME of its own and print the comparison; True when all of it agrees.

    PDTI within 0.0001, every published rank (where only values of PDTI were published: as those values rank), pillars
    to the fourth decimal. Raises ReplayError saying why a year cannot be replayed.
    """
    settings = replay_settings(framework, year, get_settings())
    _clear(settings)
    try:
        with _records_served(framework, year, settings):
            run_id = run_steps(date(year, 12, 31), framework, settings)
        figures = compare(run_id, year, settings)
        if as_json:
            told = {"framework": framework, "year": year, "run_id": run_id, "synthetic": True, "calibrated": True}
            told |= {"agrees": bool(figures) and all(f["agrees"] for f in figures), "figures": figures}
            json.dump(told, sys.stdout, ensure_ascii=False, default=str, indent=2)
            sys.stdout.write("\n")
        else:
            _print(framework, year, figures, settings)
    finally:
        embedded.stop(settings)
    return bool(figures) and all(figure["agrees"] for figure in figures)


def replay_settings(framework: str, year: int, base: Settings) -> Settings:
    """A folder and an embedded server for this replay alone.

    Whatever server the nights write to is left out, also when the environment names one: made-up records of 63
    provinces must never meet the real ones.
    """
    home = base.local_dir / "replay" / f"{framework}-{year}"
    return base.model_copy(
        update={"home": home, "local": None, "sources": home / "sources", "warehouse_url": None, "analyst_url": None}
    )


def _clear(settings: Settings) -> None:
    """A replay begins with nothing: what an earlier one left is removed."""
    if (settings.home_dir / "postgres").exists():
        embedded.stop(settings)
    shutil.rmtree(settings.home_dir, ignore_errors=True)
    settings.home_dir.mkdir(parents=True)


@contextmanager
def _records_served(framework: str, year: int, settings: Settings) -> Iterator[None]:
    """The sandbox serving the year, and the environment in which sources find it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    client, secret = "replay", secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "sandbox", "replay", framework, str(year), "--home", str(settings.home_dir)]
    environment = os.environ | {
        "SANDBOX_CLIENT_ID": client,
        "SANDBOX_CLIENT_SECRET": secret,
        "DTI_SANDBOX_PORT": str(port),
    }
    log = settings.home_dir / "sandbox.log"
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 — our own program and numbers  # nosec B603
            command, env=environment, cwd=settings.project, stdout=output, stderr=output
        )
        try:
            _wait(process, address, log, f"{framework} {year}")
            os.environ["DTI_SANDBOX_URL"] = address
            os.environ["AIRFLOW_CONN_SANDBOX"] = json.dumps({"conn_type": "http", "login": client, "password": secret})
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path, where: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            words = log.read_text("utf-8").strip().splitlines()
            raise ReplayError(
                words[-1] if words else "the sandbox ended", where=where, remedy="replay 922-2022 2022 or 2023"
            )
        try:
            requests.get(f"{address}/health", timeout=2).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.2)
    raise ReplayError("the sandbox does not answer", where=where, remedy=f"read {log}")


def _print(framework: str, year: int, figures: list[Figure], settings: Settings) -> None:
    """PDTI of every province as published and as computed, and how far its published pillars are met."""
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=120)
    whole = [figure for figure in figures if figure["measure"] == WHOLE]
    table = Table(title=f"Replay of {year} under {framework}", title_justify="left", title_style="bold")
    for name in ("unit", "PDTI published", "computed", "difference", "rank", "computed", "pillars off", "assumed"):
        table.add_column(name, justify="left" if name in ("unit", "assumed") else "right")
    for row in whole:
        own = [f for f in figures if f["unit_id"] == row["unit_id"] and f["measure"] != WHOLE]
        off = max((abs(f["published"] - (f["computed"] or 0)) for f in own if f["is_pillar"]), default=Decimal(0))
        table.add_row(
            row["unit_name"],
            f"{row['published']:.4f}",
            "–" if row["computed"] is None else f"{row['computed']:.4f}",
            "–" if row["computed"] is None else f"{row['computed'] - row['published']:+.4f}",
            str(row["published_rank"] or f"({row['rank_of_published_value']})"),
            str(row["computed_rank"]),
            f"{off:.4f}",
            Text(" ".join(row["assumed"]) or "none"),
            style="" if row["agrees"] and all(f["agrees"] for f in own) else "red",
        )
    console.print(table)
    for line in summary(figures):
        console.print(line)
    for figure in figures:
        if figure["measure"] != WHOLE and not figure["agrees"]:
            told = "{unit_name} {measure}: published {published} (rank {published_rank}), computed {computed}"
            console.print((told + " (rank {computed_rank})").format(**figure), style="red", markup=False)
    if any(row["published_rank"] is None for row in whole):
        console.print("Ranks in brackets were not published: they follow from the published values.")
    if any(row["assumed"] for row in whole):
        console.print("Assumed: of these pillars only the mean follows from what was published.")
    console.print(
        f"Records made up by the sandbox: synthetic, calibrated. They stay in {settings.home_dir}", style="yellow"
    )
