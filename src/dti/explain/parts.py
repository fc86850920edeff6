"""Numerator and denominator of an indicator: every value that is known, which one counts, and why."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from dti.explain.evidence import STATED
from dti.explain.model import FormerValue, Part, RunOf, Unit, Value, Words
from dti.explain.store import Row, rows
from dti.explain.words import BASIS


def part_of(connection: Connection, run: RunOf, unit: Unit, indicator: Row, part: str, metric: str) -> Part:
    """One side of the indicator, with every value that is known for it."""
    found = rows(
        connection,
        """
        select
            v.basis, v.feed, v.value, v.first_day, v.last_day, v.source_ids, i.part is not null as counts,
            c.original_value
        from score.metric_value as v
        left join score.correction as c
            on
                v.run_id = c.run_id and v.unit_id = c.unit_id and v.metric = c.target and v.feed = c.feed
                and v.basis = c.basis and c.status = 'applied' and c.position = (
                    select min(f.position) from score.correction as f
                    where
                        f.run_id = c.run_id and f.unit_id = c.unit_id and f.target = c.target and f.feed = c.feed
                        and f.basis = c.basis and f.status = 'applied'
                )
                and :merge_method <> 'recomputed'
        left join score.indicator_input as i
            on
                v.run_id = i.run_id and v.unit_id = i.unit_id and v.metric = i.metric and v.feed = i.feed
                and v.basis = i.basis and i.indicator_code = :code and i.part = :part
        where v.run_id = :run and v.unit_id = :unit and v.metric = :metric
        order by counts desc, array_position(cast(:bases as text[]), v.basis) nulls last, v.feed
        """,
        run=run.run_id,
        merge_method=run.merge_method,
        unit=unit.unit_id,
        metric=metric,
        code=indicator["indicator_code"],
        part=part,
        bases=indicator["basis_order"],
    )
    described = rows(
        connection,
        """
        select name_vi, name_en, unit, aggregation, merge from ref.metric
        where metric = :metric order by (feed = :feed) desc, feed limit 1
        """,
        metric=metric,
        feed=indicator["feed"],
    )
    name = described[0] if described else {"name_vi": metric, "name_en": metric, "unit": "", "aggregation": "stated"}
    name = {"merge": "mean"} | name
    if not described and metric.startswith("points."):
        name |= {"name_vi": "Điểm được cho", "name_en": "Points stated", "unit": "points"}
    chosen = next((row for row in found if row["counts"]), None)
    merged = _merged(connection, run, unit, metric, chosen) if chosen else []
    return Part.model_validate(
        {
            "part": part,
            "metric": metric,
            "name": Words(vi=name["name_vi"], en=name["name_en"]),
            "metric_unit": name["unit"],
            "aggregation": "stated" if chosen and chosen["feed"] == STATED else name["aggregation"],
            "feed": chosen["feed"] if chosen else indicator["feed"],
            "basis": chosen["basis"] if chosen else None,
            "value": chosen["value"] if chosen else None,
            "first_day": chosen["first_day"] if chosen else None,
            "last_day": chosen["last_day"] if chosen else None,
            "source_ids": chosen["source_ids"] if chosen else [],
            "metric_sql": f"include/sql/metrics/{chosen['feed']}.sql" if chosen else None,
            "facts_rows": 0,
            "merge_rule": name["merge"] if merged else None,
            "merged_from": merged,
            "values": [Value(**row, why=_why(row, part, indicator)) for row in found],
        }
    )


def _merged(connection: Connection, run: RunOf, unit: Unit, metric: str, chosen: Row) -> list[FormerValue]:
    """What former provinces, and the unit itself, gave to a value of a recomputed run."""
    if run.merge_method != "recomputed":
        return []
    found = rows(
        connection,
        """
        select p.part_unit_id as unit_id, u.name_vi, p.value, p.first_day, p.last_day
        from score.metric_part as p inner join ref.unit as u on p.part_unit_id = u.unit_id
        where
            p.run_id = :run and p.unit_id = :unit and p.metric = :metric and p.feed = :feed and p.basis = :basis
        order by (p.part_unit_id = p.unit_id), p.part_unit_id
        """,
        run=run.run_id,
        unit=unit.unit_id,
        metric=metric,
        feed=chosen["feed"],
        basis=chosen["basis"],
    )
    return [FormerValue.model_validate(each) for each in found]


def _why(value: Row, part: str, indicator: Row) -> Words:
    """Why one of several known values counts, or does not."""
    order: list[str] = indicator["basis_order"]
    basis = value["basis"]
    if value["counts"]:
        if part == "denominator" and basis == indicator["basis"]:
            return Words(vi="được dùng: cùng hình thức với tử số", en="counts: on the same basis as the numerator")
        return Words(vi="được dùng", en="counts")
    if basis not in order and basis != "calendar":
        return Words(vi="bộ chỉ số không dùng hình thức này", en="the framework never uses this basis")
    if basis == "calendar" and part == "numerator":
        return Words(vi="lịch không làm tử số", en="the calendar is no numerator")
    if basis == "measured" and value["feed"] != indicator["feed"]:
        return Words(
            vi=f"đo ở nguồn {value['feed']}, chỉ số này lấy từ {indicator['feed']}",
            en=f"measured in feed {value['feed']}, this indicator takes {indicator['feed']}",
        )
    return Words(vi="có hình thức được ưu tiên hơn", en="another basis comes before it")


def basis_reason(row: Row) -> Words:
    order: Sequence[str] = row["basis_order"]
    vi, en = " → ".join(BASIS[b].vi for b in order), ", then ".join(BASIS[b].en for b in order)
    if row["basis"] is None:
        return Words(
            vi=f"Chưa có giá trị tử số nào. Thứ tự ưu tiên: {vi}.", en=f"No numerator is known. The order is: {en}."
        )
    said = Words(
        vi=f"Thứ tự ưu tiên của bộ chỉ số: {vi}; có đầu tiên: {BASIS[row['basis']].vi}.",
        en=f"The framework's order: {en}; first known: {BASIS[row['basis']].en}.",
    )
    other = row["denominator_basis"]
    if other is None or other == row["basis"]:
        return said
    return Words(
        vi=f"{said.vi} Mẫu số không có trên cùng hình thức, nên lấy: {BASIS[other].vi}.",
        en=f"{said.en} The denominator is not known on that basis, so it is {BASIS[other].en}.",
    )
