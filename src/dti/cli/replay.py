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
from typing import Any

import requests
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dti.cli.night import run_steps
from dti.errors import DtiError
from dti.settings import Settings, get_settings
from dti.warehouse import embedded
from dti.warehouse.query import run_select

PATIENCE_SECONDS = 120
TOLERANCE = Decimal("0.0001")
COMPARED = """
select p.unit_id, u.unit_name, p.measure, p.value as published, p.rank as published_rank,
       rank() over (partition by p.measure order by p.value desc) as rank_of_published_value,
       coalesce(c.index_value, i.index_value) as computed, coalesce(c.rank_national, i.rank_national) as computed_rank
from marts.published_index as p
inner join marts.unit as u using (unit_id)
left join marts.composite_index as c
    on c.run_id = %(run)s and c.unit_id = p.unit_id and c.composite_code = p.measure
left join marts.pillar_index as i
    on i.run_id = %(run)s and i.unit_id = p.unit_id and i.pillar_code = p.measure
where p.year = %(year)s and p.geography = '63' and p.value is not null
order by p.measure, p.value desc, u.unit_name
"""


class ReplayError(DtiError):
    """The year cannot be replayed, or the sandbox did not serve it."""

    kind = "replay"


def run_replay(framework: str, year: int, *, as_json: bool = False) -> bool:
    """Replay ``year`` in a DTI_HOME of its own and print the comparison; True when all of it agrees.

    PDTI within 0.0001, every rank as published (where only values were published: as those values rank), pillars to
    the fourth decimal. Raises ReplayError saying why a year cannot be replayed.
    """
    base = get_settings()
    home = base.home_dir / "replay" / f"{framework}-{year}"
    settings = Settings(project=base.project, home=home, sources=home / "sources")
    _clear(settings)
    with _records_served(framework, year, settings):
        run_id = run_steps(date(year, 12, 31), framework, settings)
    columns, rows = run_select(COMPARED, settings, {"run": run_id, "year": year})
    compared = [dict(zip(columns, row, strict=True)) for row in rows]
    agrees = [_agrees(row) for row in compared]
    if as_json:
        told = {"framework": framework, "year": year, "run_id": run_id, "agrees": all(agrees), "figures": compared}
        json.dump(told, sys.stdout, ensure_ascii=False, default=str, indent=2)
        sys.stdout.write("\n")
    else:
        _print(framework, year, compared, settings)
    embedded.stop(settings)
    return bool(compared) and all(agrees)


def _agrees(row: dict[str, Any]) -> bool:
    if row["computed"] is None:
        return False
    if row["measure"] != "PDTI":
        return bool(abs(row["published"] - row["computed"]) <= TOLERANCE)
    wanted = row["published_rank"] or row["rank_of_published_value"]
    return bool(abs(row["published"] - row["computed"]) <= TOLERANCE and wanted == row["computed_rank"])


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
        process = subprocess.Popen(  # noqa: S603 — our own program and numbers
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


def _print(framework: str, year: int, compared: list[dict[str, Any]], settings: Settings) -> None:
    """PDTI of every province as published and as computed, and how far its published pillars are met."""
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=120)
    whole = [row for row in compared if row["measure"] == "PDTI"]
    table = Table(title=f"Replay of {year} under {framework}", title_justify="left", title_style="bold")
    for name in (
        "unit",
        "PDTI published",
        "computed",
        "difference",
        "rank published",
        "computed",
        "pillars",
        "furthest",
    ):
        table.add_column(name, justify="left" if name in ("unit", "split") else "right")
    for row in whole:
        pillars = [r for r in compared if r["unit_id"] == row["unit_id"] and r["measure"] != "PDTI"]
        furthest = max((abs(r["published"] - (r["computed"] or 0)) for r in pillars), default=Decimal(0))
        table.add_row(
            row["unit_name"],
            f"{row['published']:.4f}",
            "–" if row["computed"] is None else f"{row['computed']:.4f}",
            "–" if row["computed"] is None else f"{row['computed'] - row['published']:+.4f}",
            str(row["published_rank"] or f"({row['rank_of_published_value']})"),
            str(row["computed_rank"]),
            Text(_split(pillars)),
            f"{furthest:.4f}",
            style="" if _agrees(row) else "red",
        )
    console.print(table)
    equal = sum(row["computed"] == row["published"] for row in whole)
    ranks = sum((r["published_rank"] or r["rank_of_published_value"]) == r["computed_rank"] for r in whole)
    within = sum(_agrees(row) for row in compared)
    console.print(
        f"PDTI equal to the fourth decimal: {equal} of {len(whole)}; ranks reproduced: {ranks} of {len(whole)}"
    )
    console.print(f"published figures within {TOLERANCE}: {within} of {len(compared)}")
    if any(row["published_rank"] is None for row in whole):
        console.print("Ranks in brackets were not published: they follow from the published values.")
    console.print("Split assumed: of NT, TC, NL and AT only the mean follows from what was published.")
    console.print(
        f"Records made up by the sandbox: synthetic, calibrated. They stay in {settings.home_dir}", style="yellow"
    )


def _split(pillars: list[dict[str, Any]]) -> str:
    known = {row["measure"] for row in pillars}
    return "published" if {"NT", "TC", "NL", "AT"} <= known else "assumed"
