"""A replayed year against what was published of it: which figures there are, and when one is reproduced."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dti.settings import Settings
from dti.warehouse.query import run_select

WHOLE = "PDTI"
TOLERANCE = Decimal("0.0001")
"""How far PDTI and the composites may lie from what was published; pillars must be equal to the fourth decimal."""
COMPARED = """
select p.unit_id, u.unit_name, p.measure, p.value as published, p.rank as published_rank,
       case when p.value is not null then rank() over (partition by p.measure order by p.value desc nulls last) end
           as rank_of_published_value,
       coalesce(c.index_value, i.index_value) as computed, coalesce(c.rank_national, i.rank_national) as computed_rank,
       i.unit_id is not null as is_pillar
from marts.published_index as p
inner join marts.unit as u using (unit_id)
left join marts.composite_index as c
    on c.run_id = %(run)s and c.unit_id = p.unit_id and c.composite_code = p.measure
left join marts.pillar_index as i
    on i.run_id = %(run)s and i.unit_id = p.unit_id and i.pillar_code = p.measure
where p.year = %(year)s and p.geography = '63'
order by p.measure, p.value desc nulls last, p.rank, u.unit_name
"""
PILLARS = "select distinct pillar_code, pillar_no from marts.pillar_index where run_id = %(run)s order by pillar_no"

Figure = dict[str, Any]


def compare(run_id: str, year: int, settings: Settings) -> list[Figure]:
    """Every value and rank published of the 63 provinces for ``year``, and what the run gives; one row a figure.

    ``agrees`` says whether it is reproduced. On the rows of PDTI, ``assumed`` lists the pillars that were not
    published of the province, whose split therefore is a supposition.
    """
    figures = _select(COMPARED, settings, run=run_id, year=year)
    pillars = [row["pillar_code"] for row in _select(PILLARS, settings, run=run_id)]
    known = {(f["unit_id"], f["measure"]) for f in figures if f["published"] is not None}
    for figure in figures:
        figure["agrees"] = agrees(figure)
        if figure["measure"] == WHOLE:
            figure["assumed"] = [p for p in pillars if (figure["unit_id"], p) not in known]
    return figures


def agrees(figure: Figure) -> bool:
    """Whether a published figure is reproduced: its value, and its rank.

    Where only the values of PDTI were published, their own order must come out.
    """
    published, computed = figure["published"], figure["computed"]
    if computed is None:
        return False
    if published is not None and abs(published - computed) > (0 if figure["is_pillar"] else TOLERANCE):
        return False
    wanted = wanted_rank(figure)
    return wanted is None or bool(wanted == figure["computed_rank"])


def wanted_rank(figure: Figure) -> int | None:
    """The rank that must come out, None where nothing tells it."""
    by_value = figure["rank_of_published_value"] if figure["measure"] == WHOLE else None
    rank = by_value if figure["published_rank"] is None else figure["published_rank"]
    return None if rank is None else int(rank)


def summary(figures: list[Figure]) -> list[str]:
    """What came out, in sentences: PDTI, ranks and ties, all other figures, mean and spread."""
    whole = [f for f in figures if f["measure"] == WHOLE]
    others = [f for f in figures if f["measure"] != WHOLE]
    equal = sum(f["computed"] == f["published"] for f in whole)
    ranks = sum(wanted_rank(f) == f["computed_rank"] for f in whole)
    held = [wanted_rank(f) for f in whole]
    ties = sorted({rank for rank in held if rank is not None and held.count(rank) > 1})
    tied = f" (ties at {', '.join(map(str, ties))} included)" if ties and ranks == len(whole) else ""
    lines = [
        f"{equal} of {len(whole)} PDTI equal to the fourth decimal, {ranks} of {len(whole)} ranks reproduced{tied}",
        f"{sum(f['agrees'] for f in others)} of {len(others)} published pillars, composites and their ranks reproduced",
    ]
    found = [f for f in whole if f["computed"] is not None]
    if found:
        for name, of in (("mean", _mean), ("best", max), ("last", min)):
            told, computed = (of(figure[side] for figure in found) for side in ("published", "computed"))
            lines.append(f"{name}: published {told:.4f}, computed {computed:.4f}")
    return lines


def _mean(values: Any) -> Decimal:
    told = list(values)
    return Decimal(sum(told)) / len(told)


def _select(sql: str, settings: Settings, **parameters: object) -> list[Figure]:
    columns, rows = run_select(sql, settings, parameters)
    return [dict(zip(columns, row, strict=True)) for row in rows]
