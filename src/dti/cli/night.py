"""``dti night``: the steps of one night in order, in this process, with progress on standard error."""

from __future__ import annotations

import time
from datetime import date

from rich.console import Console

from dti import flow
from dti.cli.correction_show import warn_of_expired
from dti.cli.tables import print_feeds, print_index
from dti.errors import DtiError
from dti.observe.logs import night_log
from dti.settings import Settings, get_settings
from dti.sources.spec import readable_sources

_console = Console(stderr=True, highlight=False)


def run_night(night: date, framework: str | None = None) -> None:
    """Run ``night`` end to end and print it. A source that fails is reported and stops nothing else."""
    settings = get_settings()
    with night_log(night, settings):
        _run_night(night, framework, settings)


def _run_night(night: date, framework: str | None, settings: Settings) -> None:
    started = time.monotonic()
    run_id = run_steps(night, framework, settings)
    print_feeds(settings)
    print_index(settings)
    warn_of_expired(run_id, _console, settings)
    try:
        flow.tell(settings=settings)
    except DtiError as fault:  # the night stands; who could not be told reads it in dti status
        _console.print(f"  {fault}", style="red", markup=False)
    _console.print(f"night of {night} done in {time.monotonic() - started:.0f} s")


def run_steps(night: date, framework: str | None, settings: Settings) -> str:
    """The steps of a night in order, with progress on standard error; the id of its index run."""
    console = _console
    with console.status("preparing the warehouse") as progress:
        flow.prepare(settings)
        sources, broken = readable_sources(settings.sources_dir)
        for fault in broken.values():
            console.print(f"  {fault}", style="red", markup=False)
        for feed in flow.feeds():
            for source in (s for s in sources if s.feed == feed):
                progress.update(f"{feed}: pulling {source.source}")
                try:
                    flow.extract(source.source, night, settings=settings)
                except DtiError as fault:
                    console.print(f"  {fault}", style="red", markup=False)
            progress.update(f"{feed}: checking")
            flow.gate(feed, night, settings=settings)
            progress.update(f"{feed}: loading")
            flow.load(feed, night, settings=settings)
            console.print(f"✓ {feed}", markup=False)
        progress.update("computing the indices")
        run_id = str(flow.compute(night, framework, settings=settings)["run_id"])
        progress.update("checking the night as a whole")
        _check(night, settings)
        return run_id


def _check(night: date, settings: Settings) -> None:
    """Say which rules the night breaks as a whole. The index stands, also when a rule could not be judged."""
    try:
        failed = flow.check_night(night, settings=settings)["failed"]
    except DtiError as fault:
        _console.print(f"  {fault}", style="red", markup=False)
        return
    for rule in failed:
        if rule["severity"] != "info":
            told = f"  {rule['rule']}: {rule['reason']} ({rule['places']} places, first: {rule['first']})"
            _console.print(told, style="red" if rule["severity"] == "critical" else "yellow", markup=False)
