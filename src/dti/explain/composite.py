"""A composite of one unit: what each pillar gave, and what one more point would move."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection

from dti.explain.figures import fixed, percent, plain, rounded
from dti.explain.model import Above, CompositeExplanation, CompositeResult, CompositeSums, RunOf, Share, Unit, Words
from dti.explain.pillar import region_sizes
from dti.explain.store import Row, rows

ZERO = Decimal(0)
AGREED = Decimal("1e-24")
"""The warehouse divides to at least so many decimals."""


def published(value: Decimal, decimals: int) -> Decimal:
    """An unrounded index as it is published: snapped to 12 decimals, then rounded half up, like the index SQL."""
    return rounded(rounded(value, 12), decimals)


def explain_composite(connection: Connection, run: RunOf, unit: Unit, code: str) -> CompositeExplanation:
    """The composite ``code``, which the run's framework has."""
    everyone = _everyone(connection, run, code)
    row = next(each for each in everyone if each["unit_id"] == unit.unit_id)
    name = _name(connection, run, code)
    weighed = _pillars(connection, run, unit, code)
    shares = [_share(each, weighed, row, everyone, run.decimals) for each in weighed]
    given = sum((share.contribution for share in shares), ZERO)
    total = sum((share.weight for share in shares), ZERO)
    agrees = abs(given - row["index_unrounded"]) < AGREED
    units, in_region = region_sizes(connection, run, unit)
    return CompositeExplanation(
        unit=unit,
        run=run,
        code=code,
        name=Words(vi=name["name_vi"], en=name["name_en"]),
        provenance=name["provenance"],
        result=CompositeResult(
            index_value=row["index_value"],
            index_unrounded=row["index_unrounded"],
            coverage=row["coverage"],
            rank_national=row["rank_national"],
            rank_region=row["rank_region"],
            units=units,
            units_in_region=in_region,
        ),
        calculation=_calculation(row, shares, total, run.decimals),
        pillars=shares,
        sums=CompositeSums(weight=total, contribution=given, lost=sum((s.lost for s in shares), ZERO), agrees=agrees),
        next_above=_above(row, everyone),
        notes=[],
    )


def _everyone(connection: Connection, run: RunOf, code: str) -> list[Row]:
    """The composite of every unit of the run, best first."""
    return rows(
        connection,
        """
        select s.*, u.name_vi from score.composite_index as s
        inner join ref.unit as u using (unit_id)
        where s.run_id = :run and s.composite_code = :code order by s.index_value desc, u.name_vi
        """,
        run=run.run_id,
        code=code,
    )


def _name(connection: Connection, run: RunOf, code: str) -> Row:
    (row,) = rows(
        connection,
        """
        select name_vi, name_en, provenance from method.composite
        where framework_id = :framework and framework_hash = :hash and composite_code = :code
        """,
        framework=run.framework_id,
        hash=run.framework_hash,
        code=code,
    )
    return row


def _pillars(connection: Connection, run: RunOf, unit: Unit, code: str) -> list[Row]:
    return rows(
        connection,
        """
        select w.pillar_code, w.weight, p.name_vi, p.name_en, s.*
        from method.composite_weight as w
        inner join method.pillar as p using (framework_id, framework_hash, pillar_code)
        inner join score.pillar_index as s on w.pillar_code = s.pillar_code
        where
            w.framework_id = :framework and w.framework_hash = :hash and w.composite_code = :code
            and s.run_id = :run and s.unit_id = :unit
        order by p.position
        """,
        framework=run.framework_id,
        hash=run.framework_hash,
        code=code,
        run=run.run_id,
        unit=unit.unit_id,
    )


def _share(pillar: Row, weighed: Sequence[Row], unit: Row, everyone: Sequence[Row], decimals: int) -> Share:
    total = sum((each["weight"] for each in weighed), ZERO)
    part = pillar["weight"] / total
    more = part / pillar["max_points"] if pillar["points"] + 1 <= pillar["max_points"] else None
    return Share(
        pillar_code=pillar["pillar_code"],
        name=Words(vi=pillar["name_vi"], en=pillar["name_en"]),
        weight=pillar["weight"],
        index_value=pillar["index_value"],
        index_unrounded=pillar["index_unrounded"],
        contribution=part * pillar["index_unrounded"],
        lost=part * (1 - pillar["index_unrounded"]),
        coverage=pillar["coverage"],
        max_points=pillar["max_points"],
        one_more_point=more,
        rank_with_one_more=_rank(unit, unit["index_unrounded"] + more, everyone, decimals) if more else None,
    )


def _rank(unit: Row, value: Decimal, everyone: Sequence[Row], decimals: int) -> int:
    """The competition rank the unit would have with ``value``, all others staying as they are."""
    shown = published(value, decimals)
    others = [each["index_value"] for each in everyone if each["unit_id"] != unit["unit_id"]]
    return 1 + len([value for value in others if value > shown])


def _above(unit: Row, everyone: Sequence[Row]) -> Above | None:
    better = [each for each in everyone if each["index_value"] > unit["index_value"]]
    if not better:
        return None
    nearest = better[-1]
    return Above(
        unit_id=nearest["unit_id"],
        name_vi=nearest["name_vi"],
        index_value=nearest["index_value"],
        gap=nearest["index_value"] - unit["index_value"],
        rank=nearest["rank_national"],
    )


def _calculation(row: Row, shares: Sequence[Share], total: Decimal, decimals: int) -> Words:
    sums = " + ".join(f"{plain(share.weight)} × {plain(share.index_unrounded, 8)}" for share in shares)
    index = fixed(row["index_value"], decimals)
    said = f"({sums}) / {plain(total)} = {plain(row['index_unrounded'], 8)} → {index}"
    return Words(vi=f"{said}; độ phủ {percent(row['coverage'])}", en=f"{said}; coverage {percent(row['coverage'])}")
