"""Whose units a run covers, and how former provinces become those they are part of now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sqlalchemy import Connection, text

from dti.errors import MethodError

MergeMethod = Literal["none", "average", "recomputed"]
"""``none``: the units' own data. ``average``: the mean of the former provinces' points, as the ministry did for 2024.
``recomputed``: the former provinces' metrics become one before anything is scored."""


@dataclass(frozen=True)
class Succession:
    """``geography`` took the place of ``former`` on ``first_day``."""

    geography: str
    former: str
    first_day: date

    @property
    def last_day(self) -> date:
        """Last day of the former geography."""
        return self.first_day - timedelta(days=1)


@dataclass(frozen=True)
class Units:
    """The units of a run and where their values come from; ``former`` is set when they are merged."""

    geography: str
    merge_method: MergeMethod = "none"
    former: Succession | None = None


def choose(
    connection: Connection,
    unit_level: str,
    period_from: date,
    period_to: date,
    geography: str | None,
    merge_method: MergeMethod | None,
) -> Units:
    """Whose units to score over the period, and how to merge.

    Without ``geography`` it is the one in force on the last day. Without ``merge_method``, units that existed all
    through the period stand by themselves, and a period that crosses the day they came into being is recomputed;
    for a period wholly before that day there are two good answers, so one must be asked for. Raises MethodError with
    a remedy when units cannot be had for the period: what is merged can never be divided again.
    """
    wanted = geography or _in_force(connection, unit_level, period_to)
    first_day, end = _validity(connection, unit_level, wanted)
    if end is not None and period_to >= end:
        raise MethodError(
            f"the units of geography {wanted} ended on {end - timedelta(days=1)}; figures from {end} on belong to their"
            " successors and cannot be divided",
            where=f"period {period_from} to {period_to}",
            remedy=f"ask for the geography of the day, or for a day up to {end - timedelta(days=1)}",
        )
    succession = _succession(connection, wanted, first_day)
    if succession is None or period_from >= first_day:
        return _own(wanted, merge_method, period_from)
    if period_to >= first_day:
        return _crossing(succession, merge_method, period_from, period_to)
    return _before(succession, merge_method, period_from, period_to)


def _own(geography: str, merge_method: MergeMethod | None, period_from: date) -> Units:
    if merge_method not in {None, "none"}:
        raise MethodError(
            f"nothing to merge: geography {geography} has units of its own for the whole period",
            where=f"merge {merge_method}, period from {period_from}",
            remedy="leave the merge method out, or ask for an earlier period or another geography",
        )
    return Units(geography)


def _crossing(succession: Succession, merge_method: MergeMethod | None, period_from: date, period_to: date) -> Units:
    if merge_method == "none":
        return Units(succession.geography)
    if merge_method == "average":
        raise MethodError(
            f"average needs units of geography {succession.former} for the whole period; they ended on"
            f" {succession.last_day}",
            where=f"period {period_from} to {period_to}",
            remedy=f"merge recomputed, or ask for a day up to {succession.last_day}",
        )
    return Units(succession.geography, "recomputed", succession)


def _before(succession: Succession, merge_method: MergeMethod | None, period_from: date, period_to: date) -> Units:
    if merge_method in {None, "none"}:
        raise MethodError(
            f"the units of geography {succession.geography} have no data of their own before {succession.first_day}",
            where=f"period {period_from} to {period_to}",
            remedy="merge average (the mean of the former provinces, as the ministry did for 2024) or merge recomputed"
            f" (from their metrics), or ask for geography {succession.former}",
        )
    return Units(succession.geography, merge_method, succession)


def _in_force(connection: Connection, unit_level: str, day: date) -> str:
    """The geography whose units of this level are valid on ``day``."""
    found = connection.execute(
        text(
            "select distinct geography from unit where unit_level = :level and :day >= valid_from"
            " and (valid_to is null or :day < valid_to) order by geography"
        ),
        {"level": unit_level, "day": day},
    ).scalars()
    geographies = list(found)
    if len(geographies) != 1:
        raise MethodError(
            f"units of level {unit_level} on {day} belong to {' and '.join(geographies) or 'no geography'}",
            where="include/reference/unit.csv",
            remedy="ask for one geography, or correct valid_from and valid_to",
        )
    return str(geographies[0])


def _validity(connection: Connection, unit_level: str, geography: str) -> tuple[date, date | None]:
    """First day of the geography's units, and the first day on which all of them are gone (None: some still stand)."""
    first_day, end = connection.execute(
        text(
            "select min(valid_from), case when bool_and(valid_to is not null) then max(valid_to) end"
            " from unit where unit_level = :level and geography = :geography"
        ),
        {"level": unit_level, "geography": geography},
    ).one()
    if first_day is None:
        known = connection.execute(
            text("select distinct geography from unit where unit_level = :level order by geography"),
            {"level": unit_level},
        ).scalars()
        raise MethodError(
            f"geography {geography} has no units of level {unit_level}",
            where="include/reference/unit.csv",
            remedy=f"known: {', '.join(known) or 'none'}",
        )
    return first_day, end


def _succession(connection: Connection, geography: str, first_day: date) -> Succession | None:
    former = connection.execute(
        text(
            "select distinct f.geography from unit_succession as s"
            " inner join unit as f on s.unit_id_63 = f.unit_id"
            " inner join unit as u on s.unit_id_34 = u.unit_id where u.geography = :geography"
        ),
        {"geography": geography},
    ).scalar_one_or_none()
    return None if former is None else Succession(geography, str(former), first_day)
