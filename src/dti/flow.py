"""One night's steps, each taking a name and a night and returning a small summary.

The DAGs and ``dti night`` call the same functions. Every step can be repeated, also after a kill: what is
pending is read from the landing ledger and the warehouse, never from a caller's memory.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from dti.disk import tells_full_disk
from dti.feeds import feed_names
from dti.observe import observed, part
from dti.settings import Settings, get_settings
from dti.sources.credentials import CredentialsLookup, credentials_from_environment
from dti.sources.spec import load_source, readable_sources

if TYPE_CHECKING:
    from dti.annual.model import Request

Summary = dict[str, Any]
_log = logging.getLogger(__name__)


@observed("prepare")
@tells_full_disk
def prepare(settings: Settings | None = None) -> None:
    """Bring the warehouse up to date: server, migrations, roles, marts, reference data, list of sources."""
    from dti.warehouse import setup

    settings = settings or get_settings()
    setup.prepare(settings)
    _sync_sources(settings)


@observed("extract")
@tells_full_disk
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


@observed("gate")
@tells_full_disk
def gate(feed: str, night: date, *, settings: Settings | None = None) -> Summary:
    """Judge every landed batch of ``feed`` that the warehouse has not decided yet, also of earlier nights.

    Waits for another process that judges or loads this feed: :func:`dti.warehouse.alone.feed_alone`.
    """
    from dti.gate import judge
    from dti.landing import ledger
    from dti.warehouse import state
    from dti.warehouse.alone import feed_alone

    settings = settings or get_settings()
    with feed_alone(feed, settings):
        state.keep_aliases(settings=settings)
        decided = state.decided_batches(feed, settings=settings)
        pending = [m for m in ledger.manifests(settings, feed, skip=decided) if m.outcome == "landed"]
        verdicts = [part("judge", judge)(manifest, settings=settings) for manifest in pending]
    return {
        "feed": feed,
        "night": night.isoformat(),
        "batches": len(verdicts),
        "stopped": {v.batch_id: v.stopped_reason for v in verdicts if v.status == "stopped"},
        "rows_passed": sum(v.rows_passed for v in verdicts),
        "rows_quarantined": sum(v.rows_quarantined for v in verdicts),
    }


@observed("load")
@tells_full_disk
def load(feed: str, night: date, *, settings: Settings | None = None) -> Summary:
    """Merge judged batches into the lake, roll up what changed, and replace those facts in one transaction.

    The warehouse remembers the lake version its facts reflect; what changed since is found from the lake itself,
    so a process killed between merge and load leaves nothing behind that the next call does not see. Waits as
    :func:`gate` does.
    """
    from dti import gate as judged
    from dti import lake
    from dti.landing import ledger
    from dti.rollup import rollup
    from dti.warehouse import state
    from dti.warehouse.alone import feed_alone
    from dti.warehouse.load import Receipt, load_feed

    settings = settings or get_settings()
    with feed_alone(feed, settings), ExitStack() as held:
        decided = state.decided_batches(feed, settings=settings)
        receipts: list[Receipt] = []
        for manifest in ledger.manifests(settings, feed, skip=decided):
            landed = manifest.outcome == "landed"
            verdict = judged.load_verdict(manifest.batch_id, settings=settings) if landed else None
            if verdict is not None:
                verdict = held.enter_context(judged.at_hand(verdict, settings))
            if manifest.outcome == "failed" or verdict is not None:
                receipts.append(Receipt(manifest=manifest, verdict=verdict))

        lake.sweep(feed, settings=settings)
        _require_lake(feed, lake.version(feed, settings=settings), state.lake_version(feed, settings=settings))
        passed = [
            r.verdict
            for r in receipts
            if r.verdict is not None and r.verdict.status == "passed" and r.verdict.rows_passed
        ]
        if passed:
            part("merge", lake.merge)(feed, passed, settings=settings)
        version, reflected = lake.version(feed, settings=settings), state.lake_version(feed, settings=settings)
        partitions = lake.changed_partitions(feed, reflected, settings=settings) if version != reflected else []
        files = held.enter_context(lake.at_hand(feed, partitions, settings=settings))
        facts = rollup(feed, files, settings=settings) if partitions else None
        _sync_sources(settings)
        loaded = part("facts", load_feed)(feed, facts, partitions, receipts, version, settings=settings)

        judged.clear(decided | {receipt.manifest.batch_id for receipt in receipts}, settings)
        pages = _build_pages(feed, {receipt.manifest.night for receipt in receipts}, settings)
    return {
        "feed": feed,
        "night": night.isoformat(),
        "batches": len(receipts),
        "partitions": partitions,
        "lake_version": version,
        "load_number": loaded.load_number,
        "restated_days": loaded.restated_days,
        "restated_years": list(loaded.years),
        "quality_pages": pages,
    }


@observed("release")
@tells_full_disk
def release(
    batch_id: str,
    *,
    rows: str | None = None,
    rules: Sequence[str] = (),
    by: str,
    reason: str,
    settings: Settings | None = None,
) -> Summary:
    """Release quarantined rows of a batch as a batch of their own, then judge and load what is pending of its feed.

    See :func:`dti.quarantine.release_rows`. The original batch stays as it is, in the ledger and in the warehouse.
    """
    from dti.gate import load_verdict
    from dti.quarantine import release_rows

    settings = settings or get_settings()
    batch = release_rows(batch_id, rows=rows, rules=rules, by=by, reason=reason, settings=settings)
    gate(batch.feed, batch.night, settings=settings)
    verdict = load_verdict(batch.batch_id, settings=settings)
    loaded = load(batch.feed, batch.night, settings=settings)
    return {
        "batch_id": batch.batch_id,
        "released_from": batch_id,
        "feed": batch.feed,
        "night": batch.night.isoformat(),
        "waived_rules": list(batch.release.waived_rules) if batch.release else [],
        "rows": batch.rows,
        "rows_loaded": verdict.rows_passed if verdict else None,
        "rows_quarantined": verdict.rows_quarantined if verdict else None,
        "partitions": loaded["partitions"],
        "restated_days": loaded["restated_days"],
    }


def _build_pages(feed: str, nights: set[date], settings: Settings) -> list[str]:
    """Data Docs of what was loaded, as names below DTI_HOME. All is loaded by now: a full disk undoes nothing."""
    from dti import datadocs
    from dti.store import StoreError

    try:
        return datadocs.build(feed, nights, settings=settings)
    except (OSError, StoreError) as fault:
        _log.warning("%s: no Data Docs were written: %s", feed, fault)
        return []


def _sync_sources(settings: Settings) -> None:
    """Tell the warehouse which sources there are, so that a file added since it was prepared can be loaded too."""
    from dti.warehouse import state

    sources, broken = readable_sources(settings.sources_dir)
    state.sync_sources(sources, unreadable=broken, settings=settings)


def _require_lake(feed: str, found: int | None, reflected: int | None) -> None:
    """Refuse to go on with a lake that is behind the facts: merged into, it would pass for all that ever came."""
    from dti.lake import LakeError

    if reflected is not None and (found is None or found < reflected):
        stands = "it is gone" if found is None else f"it is at version {found}"
        raise LakeError(
            f"the facts reflect version {reflected} of the lake, and {stands}",
            where=feed,
            remedy=f"run: dti lake rebuild {feed}",
        )


@tells_full_disk
def rebuild_lake(feed: str, *, accept_difference: bool = False, settings: Settings | None = None) -> Summary:
    """Write the lake of ``feed`` anew from landing, show that its facts are those of the warehouse, and load them."""
    from dataclasses import asdict

    from dti import clock
    from dti.annual.new_lake import rebuild_lake as rebuild

    settings = settings or get_settings()
    rebuilt = rebuild(feed, accept_difference=accept_difference, settings=settings)
    loaded = load(feed, clock.local_day(clock.now()), settings=settings)
    return asdict(rebuilt) | {"lake_version": loaded["lake_version"], "partitions": loaded["partitions"]}


@observed("compute")
@tells_full_disk
def compute(night: date, framework_id: str | None = None, *, settings: Settings | None = None) -> Summary:
    """Compute the indices of ``night``'s year to date with a framework (default: the nightly one).

    The summary says which corrections were applied, and which no longer are because their source was repaired.
    """
    from dti.index.correct_summary import summary_of
    from dti.index.run import compute as compute_run

    settings = settings or get_settings()
    run = compute_run(night, framework_id or settings.framework, settings=settings)
    return {
        "run_id": run.run_id,
        "geography": run.geography,
        "merge_method": run.merge_method,
        "corrections": summary_of(settings, run.run_id),
    }


def annual_open(
    *,
    year: int,
    reason: str,
    requester: str,
    key: str,
    door: str = "command",
    framework_id: str | None = None,
    geography: str | None = None,
    merge_method: str | None = None,
    as_of: str | None = None,
    accepted_checks: Sequence[str] = (),
    settings: Settings | None = None,
) -> Summary:
    """Ask for a recomputation of ``year``: checked and written down before anything runs. See ``dti.annual.model``.

    Raises RequestError with the remedy when it cannot be asked for like this.
    """
    from dti.annual.model import Asked
    from dti.annual.request import open_request

    values: dict[str, Any] = {
        "year": year,
        "reason": reason,
        "requester": requester,
        "key": key,
        "door": door,
        "framework_id": framework_id or None,
        "geography": geography or None,
        "merge_method": merge_method or None,
        "as_of": as_of or None,
        "accepted_checks": tuple(accepted_checks),
    }
    return _request(open_request(Asked.model_validate(values), settings=settings or get_settings()))


@observed("annual_compute")
def annual_compute(request_id: str, *, settings: Settings | None = None) -> Summary:
    """Compute the candidate of a request from what was known at its cut-off."""
    from dti.annual.candidate import compute_candidate

    run = compute_candidate(request_id, settings=settings or get_settings())
    return {"request_id": request_id, "run_id": run.run_id}


@observed("annual_review")
def annual_review(request_id: str, *, settings: Settings | None = None) -> Summary:
    """Check a candidate, compare it, and write its report. Raises ChecksFailed, which ends the request."""
    from dti.annual.review import review

    found = review(request_id, settings=settings or get_settings())
    return _request(found.request) | {
        "summary_md": found.summary_md,
        "report": found.report,
        "checks": {check.check_name: check.status for check in found.checks},
    }


@observed("annual_publish")
def annual_publish(request_id: str, *, approver: str, note: str = "", settings: Settings | None = None) -> Summary:
    """Publish the candidate of a request for good, and write its bundle."""
    from dti.annual.publish import publish

    publication = publish(request_id, approver=approver, note=note, settings=settings or get_settings())
    return publication.model_dump(mode="json")


def annual_reject(request_id: str, *, rejecter: str, note: str, settings: Settings | None = None) -> Summary:
    """Keep the candidate of a request unpublished, with the reason."""
    from dti.annual.publish import reject

    return _request(reject(request_id, rejecter=rejecter, note=note, settings=settings or get_settings()))


def annual_end(
    request_id: str, status: Literal["failed", "withdrawn"], reason: str, *, settings: Settings | None = None
) -> Summary:
    """End an open request; its year can be asked for again."""
    from dti.annual.request import end_request

    return _request(end_request(request_id, status, reason, settings=settings or get_settings()))


def _request(request: Request) -> Summary:
    return request.model_dump(mode="json")


@observed("tell")
def tell(lookup: CredentialsLookup = credentials_from_environment, *, settings: Settings | None = None) -> Summary:
    """Tell people what needs them and they were not told yet, as the newest night, the year and our own runs stand.

    ``include/notify.yml`` says whom. What needs them is read from the warehouse and the ledger.
    """
    from dti.attention.tell import tell as tell_people

    return tell_people(settings or get_settings(), lookup)


def run_failed(
    dag_id: str,
    run_id: str,
    tasks: Sequence[str],
    reason: str,
    lookup: CredentialsLookup = credentials_from_environment,
    *,
    settings: Settings | None = None,
) -> None:
    """Note that a run failed, or is late, by a fault of ours, and tell people; also when the warehouse is away."""
    from dti.attention.outage import tell_outage
    from dti.attention.runs import run_failed as note
    from dti.errors import WarehouseError

    settings = settings or get_settings()
    try:
        note(dag_id, run_id, tasks, reason, settings=settings)
        tell(lookup, settings=settings)
    except WarehouseError as fault:
        tell_outage(fault, settings, lookup)


def run_succeeded(
    dag_id: str, lookup: CredentialsLookup = credentials_from_environment, *, settings: Settings | None = None
) -> None:
    """A run ended well: where one of its DAG had failed, people are told that it is over."""
    from dti.attention.runs import run_succeeded as note

    settings = settings or get_settings()
    if note(dag_id, settings=settings):
        tell(lookup, settings=settings)


@observed("check_night")
def check_night(night: date, *, settings: Settings | None = None) -> Summary:
    """Judge the rules beyond one batch for ``night``, after its index run: ``expectations/warehouse``.

    Nothing is removed by what fails: it stands in ``marts.night_check`` and is told. Raises QualityError for rules that
    could not be judged, once the others are written.
    """
    from dti.quality import check_night as check

    return check(night, settings=settings or get_settings()).summary()


def nights_behind(year: int, before: date, *, settings: Settings | None = None) -> list[date]:
    """Nights of ``year`` before that night whose index does not know all that was loaded for them, oldest first."""
    from dti.warehouse import state

    settings = settings or get_settings()
    return state.nights_behind(year, before, settings.framework, settings=settings)


def feeds() -> list[str]:
    """The feeds that have a contract, in the order a night reads them."""
    return feed_names()
