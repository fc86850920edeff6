"""What stands above the table, or is told by whoever imports it: decision, day, name, years. Nothing is assumed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dti.errors import MethodError
from dti.index.annex.wording import fold, one_line
from dti.index.model import Framework

_DECISION = re.compile(r"(\d+/(?:\d{4}/)?QĐ-[A-ZĐ0-9]+)", re.IGNORECASE)
_DAY_WORDS = re.compile(r"ngày\s+(\d{1,2})\s+tháng\s+(\d{1,2})\s+năm\s+(\d{4})", re.IGNORECASE)
_DAY_DIGITS = re.compile(r"ngày\s+(\d{1,2})[/.](\d{1,2})[/.](\d{4})", re.IGNORECASE)


@dataclass(frozen=True)
class Told:
    """What a person said on the command line; it goes before what the file says."""

    decision: str | None = None
    decided_on: date | None = None
    name_vi: str | None = None
    name_en: str | None = None
    unit_level: str | None = None
    geography: str | None = None
    family: str | None = None
    from_year: int | None = None
    to_year: int | None = None
    pillar_codes: Sequence[str] = ()


@dataclass(frozen=True)
class Head:
    """The head of the new framework. ``replaces`` is set when the old one is the same decision."""

    decision: str
    decided_on: date | None
    name_vi: str
    name_en: str
    unit_level: str
    geography: str | None
    family: str
    from_year: int
    to_year: int | None
    replaces: str | None


def head_of(titles: Sequence[str], told: Told, replaced: Framework | None, file: str) -> Head:
    """The head, from the person, else the titles, else the framework it replaces where that is the same decision.

    Raises MethodError naming what nobody has said.
    """
    title = one_line(" ".join(titles))
    found = _DECISION.search(title)
    decision = told.decision or (found[1].upper() if found else None) or (replaced.decision if replaced else None)
    same = replaced if replaced is not None and decision == replaced.decision else None
    years = (told.from_year, told.to_year)
    if told.from_year is None and same:
        years = (same.in_force.from_year, same.in_force.to_year)
    unit_level = told.unit_level or (replaced.unit_level if replaced else None)
    name_vi = told.name_vi or next((t for t in titles if fold(t).startswith("bo chi so")), None)
    name_vi = name_vi or (same.name_vi if same else None)
    wanted = {"--decision": decision, "--from-year": years[0], "--unit-level": unit_level, "--name": name_vi}
    if missing := [option for option, value in wanted.items() if value is None]:
        raise MethodError(
            f"neither the file nor the options say {', '.join(missing)}",
            where=file,
            remedy="give the options, or --replaces a framework of the same decision",
        )
    return Head(
        decision=str(decision),
        decided_on=told.decided_on or _day(title) or (same.decided_on if same else None),
        name_vi=str(name_vi),
        name_en=told.name_en or (same.name_en if same else str(name_vi)),
        unit_level=str(unit_level),
        geography=told.geography or (replaced.geography if replaced else None),
        family=told.family or (replaced.family if replaced else "dti"),
        from_year=int(years[0] or 0),
        to_year=years[1],
        replaces=same.framework_id if same else None,
    )


def _day(title: str) -> date | None:
    match = _DAY_WORDS.search(title) or _DAY_DIGITS.search(title)
    if match is None:
        return None
    day, month, year = (int(part) for part in match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None
