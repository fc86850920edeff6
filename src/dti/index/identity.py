"""Which run it is: what it computes, for which units and days, under which id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from dti.errors import MethodError
from dti.index.geography import MergeMethod, Units
from dti.index.store import Method


@dataclass(frozen=True)
class Run:
    """The identity of a run. Days are days in Asia/Ho_Chi_Minh; the period includes both of its ends."""

    run_id: str
    kind: str
    as_of_date: date
    year: int
    framework_id: str
    framework_hash: str
    geography: str
    period_from: date
    period_to: date
    framework_in_force: bool
    merge_method: MergeMethod = "none"
    parts_run_id: str | None = None
    data_cut_off: datetime | None = None
    corrections_hash: str | None = None
    reference_hash: str | None = None
    sql_hash: str | None = None
    request_id: str | None = None


def period(as_of: date, year: int) -> tuple[date, date]:
    """First and last day that count for ``year`` on ``as_of``: the whole of a closed year, the year to date else."""
    if year > as_of.year:
        raise MethodError(
            f"year {year} has not begun on {as_of}",
            where=f"year {year}",
            remedy=f"ask for a year up to {as_of.year}, or a later day",
        )
    return date(year, 1, 1), min(as_of, date(year, 12, 31))


def runs_of(
    label: str,
    as_of: date,
    method: Method,
    units: Units,
    kind: str,
    period_from: date,
    period_to: date,
    *,
    request_id: str | None = None,
) -> list[Run]:
    """The run that was asked for, behind the one it averages where it averages. ``label`` begins its id."""

    def identify(label: str, kind: str, geography: str, merge: MergeMethod = "none", parts: str | None = None) -> Run:
        suffixes = [
            *([str(period_to.year)] if period_to.year != as_of.year else []),
            *([merge] if merge != "none" else []),
        ]
        return Run(
            run_id=".".join([label, method.framework_id, geography, *suffixes]),
            kind=kind,
            as_of_date=as_of,
            year=period_to.year,
            framework_id=method.framework_id,
            framework_hash=method.framework_hash,
            geography=geography,
            period_from=period_from,
            period_to=period_to,
            framework_in_force=method.in_force.covers(period_to.year),
            merge_method=merge,
            parts_run_id=parts,
            request_id=request_id,
        )

    if units.merge_method != "average" or units.former is None:
        return [identify(label, kind, units.geography, units.merge_method)]
    parts = identify(label.replace(kind, f"{kind}_parts", 1), f"{kind}_parts", units.former.former)
    return [parts, identify(label, kind, units.geography, "average", parts.run_id)]
