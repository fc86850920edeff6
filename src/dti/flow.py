"""One night's steps, each taking a name and a night and returning a small summary.

The DAGs and ``dti night`` call the same functions. Every step can be repeated, also after a kill: what is
pending is read from the landing ledger and the warehouse, never from a caller's memory.
"""

from __future__ import annotations

import shutil
from datetime import date
from typing import Any

from dti.feeds import feed_names
from dti.settings import Settings, get_settings
from dti.sources.credentials import CredentialsLookup, credentials_from_environment
from dti.sources.spec import load_source, readable_sources

Summary = dict[str, Any]


def prepare(settings: Settings | None = None) -> None:
    """Bring the warehouse up to date: server, migrations, roles, marts, reference data, list of sources."""
    from dti.warehouse import setup

    settings = settings or get_settings()
    setup.prepare(settings)
    _sync_sources(settings)


def extract(
    source_id: str,
    night: date,
    lookup: CredentialsLookup = credentials_from_environment,
    *,
    settings: Settings | None = None,
) -> Summary:
    """Pull one source for ``night`` into one landing batch.

    Returns batch id, outcome and rows. Raises SourceError or ConfigError; the failed fetch is recorded first.
    """
    from dti.landing import ledger

    settings = settings or get_settings()
    manifest = ledger.extract_night(load_source(source_id, settings.sources_dir), night, lookup, settings=settings)
    return {"batch_id": manifest.batch_id, "rows": manifest.rows, "warnings": manifest.warnings}


def gate(feed: str, night: date, *, settings: Settings | None = None) -> Summary:
    """Judge every landed batch of ``feed`` that the warehouse has not decided yet, also of earlier nights."""
    from dti.gate import judge
    from dti.landing import ledger
    from dti.warehouse import state

    settings = settings or get_settings()
    decided = state.decided_batches(feed, settings=settings)
    pending = [m for m in ledger.manifests(settings, feed, skip=decided) if m.outcome == "landed"]
    verdicts = [judge(manifest, settings=settings) for manifest in pending]
    return {
        "feed": feed,
        "night": night.isoformat(),
        "batches": len(verdicts),
        "stopped": {v.batch_id: v.stopped_reason for v in verdicts if v.status == "stopped"},
        "rows_passed": sum(v.rows_passed for v in verdicts),
        "rows_quarantined": sum(v.rows_quarantined for v in verdicts),
    }


def load(feed: str, night: date, *, settings: Settings | None = None) -> Summary:
    """Merge judged batches into the lake, roll up what changed, and replace those facts in one transaction.

    The warehouse remembers the lake version its facts reflect; what changed since is found from the lake itself,
    so a process killed between merge and load leaves nothing behind that the next call does not see.
    """
    from dti import lake
    from dti.gate import load_verdict
    from dti.landing import ledger
    from dti.rollup import rollup
    from dti.warehouse import state
    from dti.warehouse.load import Receipt, load_feed

    settings = settings or get_settings()
    decided = state.decided_batches(feed, settings=settings)
    receipts: list[Receipt] = []
    for manifest in ledger.manifests(settings, feed, skip=decided):
        verdict = load_verdict(manifest.batch_id, settings=settings) if manifest.outcome == "landed" else None
        if manifest.outcome == "failed" or verdict is not None:
            receipts.append(Receipt(manifest=manifest, verdict=verdict))

    passed = [
        r.verdict for r in receipts if r.verdict is not None and r.verdict.status == "passed" and r.verdict.rows_passed
    ]
    if passed:
        lake.merge(feed, passed, settings=settings)
    version, reflected = lake.version(feed, settings=settings), state.lake_version(feed, settings=settings)
    partitions = lake.changed_partitions(feed, reflected, settings=settings) if version != reflected else []
    facts = rollup(feed, lake.files(feed, partitions, settings=settings), settings=settings) if partitions else None
    _sync_sources(settings)
    load_feed(feed, facts, partitions, receipts, version, settings=settings)

    _clear_staging(decided | {receipt.manifest.batch_id for receipt in receipts}, settings)
    return {
        "feed": feed,
        "night": night.isoformat(),
        "batches": len(receipts),
        "partitions": partitions,
        "lake_version": version,
    }


def _sync_sources(settings: Settings) -> None:
    """Tell the warehouse which sources there are, so that a file added since it was prepared can be loaded too."""
    from dti.warehouse import state

    sources, broken = readable_sources(settings.sources_dir)
    state.sync_sources(sources, unreadable=broken, settings=settings)


def _clear_staging(decided: set[str], settings: Settings) -> None:
    """Remove what the gate set aside for batches that are decided, also what a killed process left behind."""
    for folder in settings.staging_dir.glob("*"):
        if folder.name in decided:
            shutil.rmtree(folder, ignore_errors=True)


def compute(night: date, framework_id: str | None = None, *, settings: Settings | None = None) -> Summary:
    """Compute the indices of ``night``'s year to date with a framework (default: the nightly one)."""
    from dti.index.run import compute as compute_run

    settings = settings or get_settings()
    run = compute_run(night, framework_id or settings.framework, settings=settings)
    return {"run_id": run.run_id, "geography": run.geography, "merge_method": run.merge_method}


def feeds() -> list[str]:
    """The feeds that have a contract, in the order a night reads them."""
    return feed_names()
