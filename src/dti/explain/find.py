"""What is asked about: which run, which unit, which code; and what was meant where nothing fits."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from dti.errors import DtiError
from dti.explain.model import RunOf, Unit, Words
from dti.explain.store import Row, rows
from dti.gate.units import UnitDirectory, load_units
from dti.settings import Settings

_SHOWN = 4


class QuestionError(DtiError):
    """Nothing of that name; the remedy says what there is."""

    kind = "question"


class Subject(NamedTuple):
    """What a code means in the framework of the run."""

    kind: Literal["indicator", "pillar", "composite"]
    code: str


def find_run_and_unit(connection: Connection, unit: str, run_id: str | None, settings: Settings) -> tuple[RunOf, Unit]:
    """The run asked for, or the newest nightly one that has the unit, else the newest of any kind; and the unit.

    Raises QuestionError when there is no such run, or no such unit in it.
    """
    directory = load_units(settings)
    runs = _runs(connection)
    if not runs:
        raise QuestionError(
            "nothing was computed yet", where="runs", remedy="run a night first: make run, or uv run dti night"
        )
    known = [str(row["run_id"]) for row in runs]
    if run_id not in (None, "latest", *known):
        raise QuestionError("no such run", where=str(run_id), remedy=_nearest(str(run_id), known, "runs"))
    candidates = [row for row in runs if run_id in (None, "latest", row["run_id"])]
    for row in candidates:
        found = _unit_of(directory, unit, row["geography"])
        if found in row["unit_ids"]:
            return _run(row), _unit(connection, str(found))
    raise _no_unit(connection, directory, unit, candidates[0])


def find_subject(connection: Connection, run: RunOf, code: str) -> Subject:
    """The indicator, pillar or composite that ``code`` is in the run's framework. Raises QuestionError."""
    known = rows(
        connection,
        """
        select 'pillar' as kind, pillar_code as code, 1 as place, position from method.pillar
        where framework_id = :framework and framework_hash = :hash
        union all
        select 'composite', composite_code, 2, position from method.composite
        where framework_id = :framework and framework_hash = :hash
        union all
        select 'indicator', indicator_code, 3, position from method.indicator
        where framework_id = :framework and framework_hash = :hash
        order by place, position
        """,
        framework=run.framework_id,
        hash=run.framework_hash,
    )
    for row in known:
        if row["code"] == code.strip().upper():
            return Subject(row["kind"], row["code"])
    codes = [row["code"] for row in known]
    raise QuestionError(
        f"framework {run.framework_id} has no such indicator, pillar or composite",
        where=code,
        remedy=_nearest(code.upper(), codes, "codes"),
    )


def _runs(connection: Connection) -> list[Row]:
    """Complete runs, in the order in which one is chosen, each with its units."""
    return rows(
        connection,
        """
        select
            r.*, f.decision, f.decided_on, f.name_vi, f.name_en, f.decimals, f.sources,
            array(
                select u.unit_id from ref.unit as u
                where u.geography = r.geography and u.unit_level = f.unit_level
            ) as unit_ids
        from score.run as r
        inner join method.framework as f using (framework_id, framework_hash)
        where r.status = 'complete'
        order by
            (r.kind = 'night' and r.run_id = (select l.run_id from marts.latest_run as l)) desc,
            (r.kind = 'night') desc, r.as_of_date desc, r.finished_at desc, r.run_id
        """,
    )


def _run(row: Row) -> RunOf:
    return RunOf(
        run_id=row["run_id"],
        kind=row["kind"],
        as_of_date=row["as_of_date"],
        year=row["year"],
        period_from=row["period_from"],
        period_to=row["period_to"],
        geography=row["geography"],
        merge_method=row["merge_method"],
        parts_run_id=row["parts_run_id"],
        framework_id=row["framework_id"],
        framework_hash=row["framework_hash"],
        framework_name=Words(vi=row["name_vi"], en=row["name_en"]),
        framework_in_force=row["framework_in_force"],
        decision=row["decision"],
        decided_on=row["decided_on"],
        sources=row["sources"],
        decimals=row["decimals"],
        synthetic=row["synthetic"],
        finished_at=row["finished_at"],
    )


def _unit(connection: Connection, unit_id: str) -> Unit:
    (row,) = rows(
        connection,
        """
        select
            u.*, g.name_vi as region_vi, g.name_en as region_en,
            array(
                select s.unit_id_63 from ref.unit_succession as s where s.unit_id_34 = u.unit_id order by 1
            ) as former
        from ref.unit as u
        left join ref.region as g using (geography, region_code)
        where u.unit_id = :unit
        """,
        unit=unit_id,
    )
    return Unit(
        unit_id=unit_id,
        name=Words(vi=row["name_vi"], en=row["name_en"]),
        geography=row["geography"],
        region_code=row["region_code"] or "",
        region=Words(vi=row["region_vi"], en=row["region_en"]) if row["region_vi"] else None,
        former_unit_ids=row["former"],
    )


def geographies(directory: UnitDirectory) -> list[str]:
    """Every geography that has units."""
    return sorted({geography for geography, _ in directory.by_writing})


def _unit_of(directory: UnitDirectory, text: str, geography: str) -> str | None:
    text = unicodedata.normalize("NFC", text.strip())
    return directory.resolve(text.upper(), geography) or directory.resolve(text, geography)


def _no_unit(connection: Connection, directory: UnitDirectory, text: str, run: Row) -> QuestionError:
    """The unit is not in the run: it has another geography, or it is none."""
    where = f"{text}, run {run['run_id']}"
    for geography in geographies(directory):
        found = _unit_of(directory, text, geography)
        if not found:
            continue
        after = rows(
            connection,
            """
            select s.unit_id_34, u.name_vi from ref.unit_succession as s
            inner join ref.unit as u on s.unit_id_34 = u.unit_id where s.unit_id_63 = :unit
            """,
            unit=found,
        )
        remedy = f"since 1 July 2025 it is part of {after[0]['name_vi']} ({after[0]['unit_id_34']})" if after else ""
        ask = "; ".join(filter(None, [remedy, "ask for it with --run and a run of its own geography"]))
        what = f"{found} is not among the units of this run, whose geography is {run['geography']}"
        return QuestionError(what, where=where, remedy=ask)
    own = rows(
        connection,
        "select unit_id, name_vi from ref.unit where unit_id = any(:units) order by unit_id",
        units=run["unit_ids"],
    )
    names = [row["name_vi"] for row in own]
    near = [*_close(text, names, _bare), *_close(text.upper(), [row["unit_id"] for row in own])]
    shown = ", ".join(dict.fromkeys(near)) or "see: uv run dti sql 'select * from marts.unit'"
    return QuestionError("no unit is written like this", where=where, remedy=f"nearest: {shown}" if near else shown)


def _bare(text: str) -> str:
    """Without case and marks: what a person remembers of a name."""
    parts = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def _close(text: str, known: Iterable[str], write: Callable[[str], str] = str) -> list[str]:
    by_form = {write(name): name for name in known}
    return [by_form[match] for match in difflib.get_close_matches(write(text), by_form, n=_SHOWN, cutoff=0.6)]


def _nearest(text: str, known: list[str], what: str) -> str:
    if near := _close(text, known):
        return f"nearest: {', '.join(near)}"
    some = ", ".join(known[:15])
    return f"{what}: {some}{' …' if len(known) > 15 else ''}"
