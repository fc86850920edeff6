"""Rows released from quarantine because a person vouches for them: chosen, tried, and landed again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from dti.errors import printable
from dti.gate import judge
from dti.gate.suite import load_suite
from dti.gate.tally import QUARANTINE_SHARE
from dti.gate.waive import waivable
from dti.landing import ledger
from dti.landing.batch import Manifest, Release
from dti.landing.ranges import numbers_of, ranges_of
from dti.landing.release import ALL, ReleaseError, land_release, releases_of, rows_in
from dti.quarantine.find import EVERY, HeldRow, Wanted, held_rows
from dti.settings import Settings
from dti.store import store_of
from dti.warehouse import state
from dti.warehouse.alone import feed_alone

_LONGEST_REASON, _LONGEST_NAME, _SHOWN = 1_000, 200, 5
_SEE = "see: dti quarantine list"


@dataclass(frozen=True)
class Chosen:
    """Rows of one batch, as text, and the rules to be waived for them."""

    rows: str
    waived: list[str]


def release_rows(
    batch_id: str, *, rows: str | None, rules: Sequence[str], by: str, reason: str, settings: Settings
) -> Manifest:
    """Land quarantined rows of a batch again, waiving the rules they broke, and return the new batch.

    ``rows`` ('3,7-9') chooses by number, ``rules`` those that broke these rules and no others; neither: all that are
    still held. What cannot be read, has no unit or stands twice is never waived: it must be in order by now, such as by
    a writing of the unit that was added. First they are judged in a place apart: when one of them would be held back
    again, nothing lands. A release that was killed before the warehouse knew it is taken up as it landed.

    Raises ReleaseError saying why not, and what the ledger and the gate raise.
    """
    by, reason = _said(by, "--by", _LONGEST_NAME), _said(reason, "--reason", _LONGEST_REASON)
    lines = list(held_rows(Wanted(batch_id=batch_id, statuses=EVERY), settings=settings))
    if not lines:
        raise ReleaseError("holds no quarantined row", where=batch_id, remedy=_SEE)
    first = lines[0]
    original = ledger.manifest_of(first.feed, first.source_id, batch_id, settings)
    chosen = _of_stopped(first, rows, rules, settings) if first.is_batch else _of_rows(lines, rows, rules, settings)
    if unfinished := _unfinished(original, chosen, settings):
        return unfinished
    release = Release(
        released_from=batch_id,
        rows=chosen.rows,
        released_by=by,
        reason=reason,
        waived_rules=chosen.waived,
        landed_at=original.landed_at,
    )
    _try(original, release, settings)
    return land_release(original, release, settings=settings)


def _said(text: str, what: str, longest: int) -> str:
    said = " ".join(printable(text).split())
    if not said or len(said) > longest:
        fault = "is empty" if not said else f"is longer than {longest} characters"
        raise ReleaseError(fault, where=what, remedy="who vouches for the rows, and why, is kept with them")
    return said


def _of_stopped(line: HeldRow, rows: str | None, rules: Sequence[str], settings: Settings) -> Chosen:
    if rows is not None:
        raise ReleaseError(
            "the whole batch was stopped", where=line.batch_id, remedy="release it whole, without --rows"
        )
    return Chosen(ALL, _waived([line], rules, settings))


def _of_rows(lines: list[HeldRow], rows: str | None, rules: Sequence[str], settings: Settings) -> Chosen:
    where, by_number = lines[0].batch_id, {line.row_number: line for line in lines}
    if rows is not None:
        wanted = _numbers(rows)
        if strange := sorted(wanted - by_number.keys()):
            raise ReleaseError(f"not held back: rows {ranges_of(strange)}", where=where, remedy=_SEE)
        chosen = [by_number[number] for number in sorted(wanted)]
    else:
        chosen = [line for line in lines if line.status == "held"]
        if rules:
            chosen = [line for line in chosen if set(line.rules) <= set(rules)]
    if not chosen:
        broke = f" that broke {', '.join(rules)} and nothing else" if rules else ""
        raise ReleaseError(f"no row is still held{broke}", where=where, remedy=_SEE)
    return Chosen(ranges_of(line.row_number for line in chosen), _waived(chosen, rules, settings))


def _numbers(rows: str) -> frozenset[int]:
    try:
        wanted = numbers_of(rows)
    except ValueError as fault:
        raise ReleaseError(str(fault), where="--rows", remedy="write numbers and ranges, such as 3,7-9") from None
    if not wanted:
        raise ReleaseError(f"not row numbers: {rows!r}", where="--rows", remedy="write them such as 3,7-9")
    return wanted


def _waived(lines: list[HeldRow], rules: Sequence[str], settings: Settings) -> list[str]:
    suite = load_suite(lines[0].feed, settings)
    broken = dict.fromkeys(rule for line in lines for rule in line.rules)
    return [rule for rule in broken if waivable(rule, suite) and (not rules or rule in rules)]


def _unfinished(original: Manifest, chosen: Chosen, settings: Settings) -> Manifest | None:
    """The same release, landed but not decided yet: its process was killed."""
    decided = state.decided_batches(original.feed, settings=settings)
    for manifest, earlier in releases_of(original, settings):
        if manifest.batch_id not in decided and earlier.rows == chosen.rows:
            return manifest
    return None


def _try(original: Manifest, release: Release, settings: Settings) -> None:
    """Judge the release in a place apart. Raises ReleaseError unless it passes."""
    home, prefix = settings.local_dir / "tmp", f"release-{original.feed}-"
    home.mkdir(parents=True, exist_ok=True)
    with feed_alone(original.feed, settings), tempfile.TemporaryDirectory(prefix=prefix, dir=home) as folder:
        for left in home.glob(f"{prefix}*"):  # by a process that was killed
            if left != Path(folder):
                shutil.rmtree(left, ignore_errors=True)
        apart = settings.model_copy(update={"home": Path(folder), "local": None})
        store_of(settings).show_in(ledger.folder_name(original), Path(folder))
        # Of a few rows the share of bad ones says nothing: each is told by itself.
        lenient = [*release.waived_rules, *([] if release.rows == ALL else [QUARANTINE_SHARE])]
        manifest = land_release(original, release.model_copy(update={"waived_rules": lenient}), settings=apart)
        verdict = judge(manifest, settings=apart)
        if verdict.status == "stopped":
            raise ReleaseError(
                f"would be stopped again: {verdict.stopped_reason}",
                where=original.batch_id,
                remedy="mend what it says, or waive that rule with --rule",
            )
        if verdict.quarantine_file is not None and release.rows != ALL:
            _refuse_held(original, manifest, Path(verdict.quarantine_file))


def _refuse_held(original: Manifest, manifest: Manifest, quarantine: Path) -> None:
    lines = pq.read_table(quarantine, columns=["row_number", "reason"]).to_pylist()
    numbers = rows_in(manifest)
    told = "; ".join(f"row {numbers[line['row_number']]}: {line['reason']}" for line in lines[:_SHOWN])
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    raise ReleaseError(
        f"{len(lines)} of {manifest.rows} rows would be held back again: {told}{more}",
        where=original.batch_id,
        remedy="mend what is told, or choose the others with --rows",
    )
