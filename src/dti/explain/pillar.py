"""A pillar of one unit: what each component gave and lost."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection

from dti.explain.figures import fixed, percent, plain
from dti.explain.model import Component, PillarExplanation, PillarResult, PillarSums, RunOf, Unit, Words
from dti.explain.store import Row, rows
from dti.explain.words import worst

ZERO = Decimal(0)


def explain_pillar(connection: Connection, run: RunOf, unit: Unit, code: str) -> PillarExplanation:
    """The pillar ``code``, which the run's framework has."""
    row = _row(connection, run, unit, code)
    components = [_component(each) for each in _component_rows(connection, run, unit, code)]
    components.sort(key=lambda c: (-c.lost, [int(number) for number in c.code.split(".")]))
    sums = _sums(components, row["points"])
    points = row["points"] if row["points"] is not None else sums.points
    return PillarExplanation(
        unit=unit,
        run=run,
        code=code,
        name=Words(vi=row["name_vi"], en=row["name_en"]),
        group_vi=row["group_vi"],
        provenance=row["provenance"],
        result=PillarResult(
            points=points,
            max_points=row["max_points"],
            lost=row["max_points"] - points,
            index_value=row["index_value"],
            index_unrounded=row["index_unrounded"],
            coverage=row["coverage"] if row["coverage"] is not None else _coverage(components),
            rank_national=row["rank_national"],
            rank_region=row["rank_region"],
            units=row["units"],
            units_in_region=row["units_in_region"],
        ),
        calculation=_calculation(row, sums),
        components=components,
        sums=sums,
        notes=_notes(components, run),
    )


def region_sizes(connection: Connection, run: RunOf, unit: Unit) -> tuple[int, int]:
    """Units of the run, and those of them in the unit's region."""
    (row,) = rows(
        connection,
        """
        select count(distinct s.unit_id) as units,
            count(distinct s.unit_id) filter (where u.region_code is not distinct from :region) as units_in_region
        from score.composite_index as s inner join ref.unit as u using (unit_id) where s.run_id = :run
        """,
        run=run.run_id,
        region=unit.region_code or None,
    )
    return row["units"], row["units_in_region"]


def _row(connection: Connection, run: RunOf, unit: Unit, code: str) -> Row:
    (row,) = rows(
        connection,
        """
        select
            p.name_vi, p.name_en, p.group_vi, p.max_points, p.provenance,
            s.points, s.index_value, s.index_unrounded, s.coverage, s.rank_national, s.rank_region
        from method.pillar as p
        left join score.pillar_index as s
            on p.pillar_code = s.pillar_code and s.run_id = :run and s.unit_id = :unit
        where p.framework_id = :framework and p.framework_hash = :hash and p.pillar_code = :code
        """,
        run=run.run_id,
        unit=unit.unit_id,
        framework=run.framework_id,
        hash=run.framework_hash,
        code=code,
    )
    units, in_region = region_sizes(connection, run, unit)
    return row | {"units": units, "units_in_region": in_region}


def _component_rows(connection: Connection, run: RunOf, unit: Unit, code: str) -> list[Row]:
    return rows(
        connection,
        """
        select s.*, i.name_vi, i.name_en, i.name_provenance, i.points_provenance, i.feed
        from score.indicator_score as s
        inner join score.run as r using (run_id)
        inner join method.indicator as i using (framework_id, framework_hash, indicator_code)
        where s.run_id = :run and s.unit_id = :unit and s.pillar_code = :code
        """,
        run=run.run_id,
        unit=unit.unit_id,
        code=code,
    )


def _component(row: Row) -> Component:
    return Component(
        code=row["indicator_code"],
        name=Words(vi=row["name_vi"], en=row["name_en"]),
        points=row["points"],
        max_points=row["max_points"],
        lost=row["max_points"] - row["points"],
        status=row["status"],
        basis=row["basis"],
        is_capped=row["is_capped"],
        provenance=worst(row["name_provenance"], row["points_provenance"]),
        provider_feed=row["feed"] if row["status"] == "missing" else None,
    )


def _sums(components: list[Component], stored: Decimal | None) -> PillarSums:
    def lost(status: str) -> Decimal:
        return sum((c.lost for c in components if c.status == status), ZERO)

    points = sum((c.points for c in components), ZERO)
    return PillarSums(
        points=points,
        max_points=sum((c.max_points for c in components), ZERO),
        lost=sum((c.lost for c in components), ZERO),
        lost_missing=lost("missing"),
        lost_undefined=lost("undefined"),
        lost_scored=lost("scored"),
        agrees=stored is None or stored == points,
    )


def _coverage(components: list[Component]) -> Decimal:
    """Of a pillar without points: by number of components, since there are no points to weigh them."""
    return Decimal(sum(c.status != "missing" for c in components)) / max(1, len(components))


def _calculation(row: Row, sums: PillarSums) -> Words:
    top = plain(row["max_points"])
    if row["index_value"] is None:
        return Words(
            vi=f"Trụ cột có {top} điểm: các chỉ số được tính và hiển thị, nhưng 0/0 không phải là một chỉ số.",
            en=f"The pillar has {top} points: its components are scored and shown, but 0 of 0 is no index.",
        )
    decimals = -row["index_value"].as_tuple().exponent
    index = fixed(row["index_value"], decimals)
    gone = [
        (sums.lost_scored, "do kết quả", "by results"),
        (sums.lost_missing, "do thiếu số liệu", "for want of data"),
        (sums.lost_undefined, "do không xác định", "undefined"),
    ]
    vi = ", ".join(f"{fixed(value)} {said}" for value, said, _ in gone if value)
    en = ", ".join(f"{fixed(value)} {said}" for value, _, said in gone if value)
    return Words(
        vi=f"{fixed(row['points'])} / {top} điểm = {index}; mất {fixed(sums.lost)} điểm" + (f": {vi}" if vi else "")
        + f"; độ phủ {percent(row['coverage'])}",
        en=f"{fixed(row['points'])} of {top} points = {index}; {fixed(sums.lost)} lost" + (f": {en}" if en else "")
        + f"; coverage {percent(row['coverage'])}",
    )  # fmt: skip


def _notes(components: list[Component], run: RunOf) -> list[Words]:
    notes = []
    unsure = sum(c.provenance == "provisional" for c in components)
    if unsure:
        notes.append(
            Words(
                vi=f"{unsure}/{len(components)} chỉ số thành phần là tạm thời (tên hoặc điểm).",
                en=f"{unsure} of {len(components)} components are provisional (name or points).",
            )
        )
    if missing := [c for c in components if c.status == "missing"]:
        feeds = ", ".join(sorted({c.provider_feed or "?" for c in missing}))
        codes = ", ".join(c.code for c in missing)
        notes.append(
            Words(
                vi=f"Thiếu số liệu: {codes} (nguồn {feeds}); xem dti explain cho từng chỉ số.",
                en=f"Missing: {codes} (feeds {feeds}); dti explain on each says whom to ask.",
            )
        )
    return notes
