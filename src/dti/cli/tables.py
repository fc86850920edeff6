"""Tables a person reads in a terminal; everything in them comes from the marts."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dti.errors import DtiError
from dti.settings import Settings, get_settings
from dti.warehouse.query import run_select

Row = dict[str, Any]
SYNTHETIC = "SYNTHETIC sandbox data: not a figure of any real agency or province"
_MARK = {"fresh": "green", "stale": "yellow", "failed": "red", "stopped": "red", "never": "red"}


def _select(sql: str, settings: Settings, **parameters: object) -> list[Row]:
    columns, rows = run_select(sql, settings, parameters or None)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _console() -> Console:
    """Standard output; wide enough for a table when it is a file or a pipe."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=150)


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def print_feeds(settings: Settings | None = None) -> None:
    """One line a feed: sources reached and failed, rows landed, quarantined, loaded; then who failed and why."""
    settings = settings or get_settings()
    sources = _select("select * from marts.feed_freshness order by feed, source_id", settings)
    console = _console()
    table = _table("Feeds of the night", tight=console.width < 100)
    table.add_column("feed")
    for name in ("sources", "reached", "failed", "landed", "quarantined", "loaded"):
        table.add_column(name, justify="right")
    for feed in dict.fromkeys(s["feed"] for s in sources):
        own = [s for s in sources if s["feed"] == feed]
        failed = sum(s["status"] in ("failed", "never") for s in own)
        sums = [sum(s[f"rows_{k}"] or 0 for s in own) for k in ("landed", "quarantined", "loaded")]
        table.add_row(
            feed,
            str(len(own)),
            str(len(own) - failed),
            Text(str(failed), style="red" if failed else ""),
            *map(_count, sums),
        )
    console.print(table)
    for source in sources:
        if source["status"] in ("failed", "stopped", "never"):
            detail = (source["detail"] or "no batch yet").removeprefix(f"{source['source_id']}: ")
            console.print(f"  {source['status']}: {source['source_id']}: {detail}", style="red", markup=False)
    if any(s["synthetic"] for s in sources):
        console.print(SYNTHETIC, style="yellow")


def print_index(settings: Settings | None = None, run_id: str | None = None) -> None:
    """The index table of a run (default: the newest nightly one), best first."""
    settings = settings or get_settings()
    if run_id is None:
        newest = _select("select run_id from marts.latest_run", settings)
        run_id = newest[0]["run_id"] if newest else None
    runs = _select("select * from marts.run where run_id = %(run)s", settings, run=run_id)
    if not runs:
        raise DtiError("no such run", where=run_id or "latest", remedy="run a night first: make run, or dti night")
    run = runs[0]
    pillars = _select("select * from marts.pillar_index where run_id = %(run)s", settings, run=run_id)
    totals = _select(
        "select * from marts.composite_index where run_id = %(run)s and composite_no = 1"
        " order by rank_national, unit_name",
        settings,
        run=run_id,
    )
    console = _console()
    tables = (_index_table(run, pillars, totals, shape) for shape in ("wide", "tight", "short"))
    console.print(_first_fitting(console, tables))
    if not run["framework_in_force"]:
        console.print(
            f"Estimate: framework {run['framework_id']} was not in force in {run['year']}; "
            "component points are provisional.",
            style="yellow",
        )
    if run["synthetic"]:
        console.print(SYNTHETIC, style="yellow")


def _index_table(run: Row, pillars: list[Row], totals: list[Row], shape: str) -> Table:
    """The table of a run: ``wide`` with lines, ``tight`` without, ``short`` also without the pillars."""
    codes = list(dict.fromkeys(p["pillar_code"] for p in sorted(pillars, key=lambda p: p["pillar_no"])))
    value = {(p["unit_id"], p["pillar_code"]): p["index_value"] for p in pillars}
    shown = [] if shape == "short" else codes
    whole = totals[0]["composite_code"] if totals else ""
    merged = "" if run["merge_method"] == "none" else f" ({run['merge_method']} from former provinces)"
    table = _table(
        f"{run['year']}, {run['period_from']:%-d %b} to {run['period_to']:%-d %b} · "
        f"framework {run['framework_id']} · {run['units_count']} units{merged} · run {run['run_id']}",
        tight=shape != "wide",
    )
    if shape == "short":
        table.caption = "A wider window also shows the pillars."
    near = ("region", "in region") if shape == "wide" else ("in region",)
    for name in ("#", "unit", *shown, whole, *near, "coverage"):
        table.add_column(name, justify="left" if name in ("unit", "region") else "right", no_wrap=True)
    for row in totals:
        place = (row["region_code"], str(row["rank_region"]))
        table.add_row(
            str(row["rank_national"]),
            row["unit_name"],
            *(f"{value[row['unit_id'], code]:.4f}" for code in shown),
            f"{row['index_value']:.4f}",
            *(place if shape == "wide" else (" ".join(place),)),
            f"{row['coverage']:.1%}",
        )
    return table


def _table(title: str, *, tight: bool = False) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", caption_justify="left")
    if tight:
        table.box, table.padding, table.pad_edge = box.SIMPLE_HEAD, (0, 0), False
    return table


def _first_fitting(console: Console, tables: Iterable[Table]) -> Table:
    """The first table that the window can show whole; the last one when none fits."""
    boundless = console.options.update(max_width=1_000)
    for table in tables:
        if console.measure(table, options=boundless).maximum <= console.width:
            break
    return table


def freshness(settings: Settings) -> list[Row]:
    """Every source as the marts show it: how fresh, its newest batch, and the fault in words."""
    return _select("select * from marts.feed_freshness order by feed, source_id", settings)


def print_freshness(settings: Settings) -> None:
    """Freshness of every source, newest batch, last good data, and the fault in words."""
    console = _console()
    table = _table("Freshness", tight=console.width < 160)
    for name in ("feed", "source", "status", "good data until", "landed", "loaded", "quarantined", "detail"):
        table.add_column(name, justify="right" if name in ("landed", "loaded", "quarantined") else "left")
    for s in freshness(settings):
        table.add_row(
            s["feed"],
            s["source_id"],
            Text(s["status"], _MARK[s["status"]]),
            f"{s['last_interval_end']:%Y-%m-%d %H:%M}" if s["last_interval_end"] else "–",
            _count(s["rows_landed"]),
            _count(s["rows_loaded"]),
            _count(s["rows_quarantined"]),
            Text(s["detail"] or ""),
        )
    console.print(table)
