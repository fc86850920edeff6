"""What was known at a cut-off: which batches counted, and which method, corrections and reference data stood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, text

from dti import clock
from dti.annual.model import RequestError
from dti.index.standing import Known
from dti.warehouse import inputs

HOW_TO_ASK = (
    "leave it out (now), or write a moment such as 2027-02-01T00:00+07:00, a day such as 2026-12-31 (as its night knew"
    " it), or the id of a run"
)


@dataclass(frozen=True)
class CutOff:
    """A moment, and what is known of it. ``run_id`` names the run whose knowledge is meant, where one is.

    ``known`` maps feeds to their batches that count; of a feed that is not named those landed by ``at`` do.
    ``as_of_date`` is the last day in Việt Nam that was over at ``at``, or the day of the run.
    """

    at: datetime
    as_of_date: date
    run_id: str | None
    framework_hash: str | None
    corrections_hash: str | None
    reference_hash: str

    @property
    def known_by_time(self) -> bool:
        """Whether batches count by the moment they landed, not by what a run saw."""
        return self.run_id is None


def cut_off(connection: Connection, as_of: str | None, framework_id: str, now: datetime) -> CutOff:
    """The cut-off that ``as_of`` means: nothing, a moment, a day, or a run id; ``now`` is the present moment.

    Raises RequestError when it lies in the future, cannot be read, or comes before anything was written down.
    """
    asked = (as_of or "").strip()
    if not asked:
        return _of_moment(connection, now, framework_id, asked)
    if run := _run(connection, "run_id = :asked", framework_id, asked=asked):
        return _of_run(connection, run, framework_id, asked)
    if (day := _day(asked)) is not None:
        if run := _run(connection, "kind = 'night' and as_of_date = :day", framework_id, day=day):
            return _of_run(connection, run, framework_id, asked)
        return _of_moment(connection, _past(clock.day_end(day), now, asked), framework_id, asked)
    return _of_moment(connection, _past(_moment(asked), now, asked), framework_id, asked)


def known_batches(connection: Connection, cut: CutOff, feeds: list[str]) -> dict[str, Known]:
    """Feed → which of its batches count at the cut-off. A feed that the run never saw has none."""
    if cut.known_by_time:
        return {feed: Known(landed_by=cut.at) for feed in feeds}
    rows = connection.execute(
        text("select feed, load_number, landed_by from score.run_input where run_id = :run_id"), {"run_id": cut.run_id}
    )
    seen = {row.feed: Known(row.load_number, row.landed_by) for row in rows}
    return {feed: seen.get(feed, Known(load_number=0)) for feed in feeds}


def _of_run(connection: Connection, run: dict[str, object], framework_id: str, asked: str) -> CutOff:
    at, reference = run["data_cut_off"], run["reference_hash"]
    if not isinstance(at, datetime) or not isinstance(reference, str) or not isinstance(run["as_of_date"], date):
        raise RequestError(
            f"run {run['run_id']} is older than the notes of what runs knew",
            where=f"as of {asked}",
            remedy="ask as of a moment instead",
        )
    same = run["framework_id"] == framework_id
    version = run["framework_hash"] if same else inputs.stood(connection, "framework", framework_id, at)
    return CutOff(
        at=at,
        as_of_date=run["as_of_date"],
        run_id=str(run["run_id"]),
        framework_hash=str(version) if version else None,
        corrections_hash=str(run["corrections_hash"]) if run["corrections_hash"] else None,
        reference_hash=reference,
    )


def _of_moment(connection: Connection, at: datetime, framework_id: str, asked: str) -> CutOff:
    reference = inputs.stood(connection, "reference", "reference", at)
    if reference is None:
        first = connection.execute(
            text("select min(seen_at) from ops.input_seen where kind = 'reference'")
        ).scalar_one_or_none()
        raise RequestError(
            "reference data of that moment was not kept",
            where=f"as of {asked or 'now'}",
            remedy=f"ask for a moment from {first:%Y-%m-%d %H:%M %Z} on" if first else "prepare the warehouse first",
        )
    return CutOff(
        at=at,
        as_of_date=clock.local_day(at) - timedelta(days=1),
        run_id=None,
        framework_hash=inputs.stood(connection, "framework", framework_id, at),
        corrections_hash=inputs.stood(connection, "corrections", "corrections", at),
        reference_hash=reference,
    )


def _run(connection: Connection, which: str, framework_id: str, **known: object) -> dict[str, object] | None:
    """The newest complete run of those, one of the same framework first."""
    row = connection.execute(
        text(
            "select run_id, as_of_date, data_cut_off, framework_id, framework_hash, corrections_hash, reference_hash"  # noqa: S608
            f" from score.run where status = 'complete' and {which}"
            " order by framework_id = :framework_id desc, data_cut_off desc nulls last, run_id limit 1"
        ),
        {"framework_id": framework_id, **known},
    ).one_or_none()
    return None if row is None else dict(row._mapping)


def _day(asked: str) -> date | None:
    try:
        return date.fromisoformat(asked)
    except ValueError:
        return None


def _moment(asked: str) -> datetime:
    try:
        moment = datetime.fromisoformat(asked)
    except ValueError:
        raise RequestError(f"{asked!r} is no moment, no day and no run", where="as of", remedy=HOW_TO_ASK) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.ZONE)


def _past(moment: datetime, now: datetime, asked: str) -> datetime:
    if moment > now:
        raise RequestError(
            f"{moment.astimezone(clock.ZONE):%Y-%m-%d %H:%M} is still to come",
            where=f"as of {asked}",
            remedy=f"nothing can be known yet: {HOW_TO_ASK}",
        )
    return moment
