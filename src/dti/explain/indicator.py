"""An indicator of one unit: what it is, what was found, what it earned, and what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection

from dti.errors import MethodError
from dti.explain.evidence import fact_rows, gather, known_feed, sources_of, unregistered
from dti.explain.model import (
    Indicator,
    IndicatorExplanation,
    IndicatorResult,
    Part,
    RunOf,
    Unit,
    Value,
    Words,
)
from dti.explain.providers import providers_of, remedy_words
from dti.explain.store import Row, rows
from dti.explain.words import BASIS, Scoring, Term, calculation_words, provenance, rule_words
from dti.index.framework import load_framework
from dti.settings import Settings

_DECLARED_FEED = "declarations"


def explain_indicator(
    connection: Connection, run: RunOf, unit: Unit, code: str, settings: Settings
) -> IndicatorExplanation:
    """The indicator ``code``, which the run's framework has."""
    row = _row(connection, run, unit, code)
    steps = _steps(connection, run, code)
    unit_ids = [unit.unit_id, *unit.former_unit_ids]
    parts = [
        _part(connection, run, unit, row, part, metric)
        for part, metric in (("numerator", row["numerator_metric"]), ("denominator", row["denominator_metric"]))
        if metric
    ]
    scoring = _scoring(row, steps, parts)
    missing = [part for part in parts if part.value is None]
    used = sorted({source for part in parts for source in part.source_ids})
    providers = providers_of(connection, missing, unit_ids, settings)
    asked_too = [provider.source_id for provider in providers if provider.source_id not in used]
    known = sources_of(connection, [*used, *asked_too])
    evidence = []
    for source_id in [*used, *asked_too]:
        own = [part for part in parts if source_id in part.source_ids]
        source = known.get(source_id) or unregistered(source_id, own[0])
        if known_feed(source["feed"], settings):
            behind = own or [part for part in missing if _feed_of(part, parts) == source["feed"]]
            evidence.append(gather(connection, source, behind, unit, unit_ids, run, settings))
    counted = [
        part.model_copy(update={"facts_rows": _facts_of(connection, part, known, unit_ids, run, settings)})
        for part in parts
    ]
    return IndicatorExplanation(
        unit=unit,
        run=run,
        indicator=_definition(row, steps, run, settings),
        result=_result(row, scoring),
        rule=rule_words(scoring),
        calculation=calculation_words(scoring),
        basis=row["basis"],
        basis_order=row["basis_order"],
        basis_reason=_basis_reason(row),
        parts=counted,
        evidence=evidence,
        providers=providers,
        remedy=remedy_words(row["status"], missing, providers, run),
        notes=_notes(row, run, unit, counted, [each.source_id for each in evidence if each.changed_since_run]),
    )


def _row(connection: Connection, run: RunOf, unit: Unit, code: str) -> Row:
    (row,) = rows(
        connection,
        """
        select
            s.*, i.name_vi, i.name_en, i.rule, i.target, i.numerator_metric, i.denominator_metric, i.feed,
            i.name_provenance, i.points_provenance, f.basis_order, p.name_vi as pillar_vi, p.name_en as pillar_en
        from score.indicator_score as s
        inner join score.run as r using (run_id)
        inner join method.framework as f using (framework_id, framework_hash)
        inner join method.indicator as i using (framework_id, framework_hash, indicator_code)
        inner join method.pillar as p
            on
                i.framework_id = p.framework_id and i.framework_hash = p.framework_hash
                and i.pillar_code = p.pillar_code
        where s.run_id = :run and s.unit_id = :unit and s.indicator_code = :code
        """,
        run=run.run_id,
        unit=unit.unit_id,
        code=code,
    )
    return row


def _steps(connection: Connection, run: RunOf, code: str) -> list[tuple[Decimal, Decimal]]:
    found = rows(
        connection,
        """
        select threshold, share from method.step
        where framework_id = :framework and framework_hash = :hash and indicator_code = :code order by threshold
        """,
        framework=run.framework_id,
        hash=run.framework_hash,
        code=code,
    )
    return [(row["threshold"], row["share"]) for row in found]


def _part(connection: Connection, run: RunOf, unit: Unit, indicator: Row, part: str, metric: str) -> Part:
    """One side of the indicator, with every value that is known for it."""
    found = rows(
        connection,
        """
        select
            v.basis, v.feed, v.value, v.first_day, v.last_day, v.source_ids, i.part is not null as counts
        from score.metric_value as v
        left join score.indicator_input as i
            on
                v.run_id = i.run_id and v.unit_id = i.unit_id and v.metric = i.metric and v.feed = i.feed
                and v.basis = i.basis and i.indicator_code = :code and i.part = :part
        where v.run_id = :run and v.unit_id = :unit and v.metric = :metric
        order by counts desc, array_position(cast(:bases as text[]), v.basis) nulls last, v.feed
        """,
        run=run.run_id,
        unit=unit.unit_id,
        metric=metric,
        code=indicator["indicator_code"],
        part=part,
        bases=indicator["basis_order"],
    )
    described = rows(
        connection,
        """
        select name_vi, name_en, unit, aggregation from ref.metric
        where metric = :metric order by (feed = :feed) desc, feed limit 1
        """,
        metric=metric,
        feed=indicator["feed"],
    )
    name = described[0] if described else {"name_vi": metric, "name_en": metric, "unit": "", "aggregation": "stated"}
    if not described and metric.startswith("points."):
        name |= {"name_vi": "Điểm được cho", "name_en": "Points stated", "unit": "points"}
    chosen = next((row for row in found if row["counts"]), None)
    return Part.model_validate(
        {
            "part": part,
            "metric": metric,
            "name": Words(vi=name["name_vi"], en=name["name_en"]),
            "metric_unit": name["unit"],
            "aggregation": "stated" if chosen and chosen["feed"] == _DECLARED_FEED else name["aggregation"],
            "feed": chosen["feed"] if chosen else indicator["feed"],
            "basis": chosen["basis"] if chosen else None,
            "value": chosen["value"] if chosen else None,
            "first_day": chosen["first_day"] if chosen else None,
            "last_day": chosen["last_day"] if chosen else None,
            "source_ids": chosen["source_ids"] if chosen else [],
            "metric_sql": f"include/sql/metrics/{chosen['feed']}.sql" if chosen else None,
            "facts_rows": 0,
            "values": [Value(**row, why=_why(row, part, indicator)) for row in found],
        }
    )


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


def _basis_reason(row: Row) -> Words:
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


def _scoring(row: Row, steps: list[tuple[Decimal, Decimal]], parts: Sequence[Part]) -> Scoring:
    terms = {part.part: Term(part.metric, part.name, part.metric_unit, part.value) for part in parts}
    return Scoring(
        rule=row["rule"],
        max_points=row["max_points"],
        target=row["target"],
        steps=steps,
        status=row["status"],
        numerator=terms["numerator"],
        denominator=terms.get("denominator"),
        value=row["value"],
        share=_share(row, steps),
        points=row["points"],
    )


def _share(row: Row, steps: list[tuple[Decimal, Decimal]]) -> Decimal | None:
    """The share of the points before it is held between 0 and 1, as include/sql/index computes it."""
    value: Decimal | None = row["value"]
    if value is None or row["status"] != "scored":
        return None
    if row["max_points"] > 0 and not row["is_capped"] and row["points"] > 0:
        return Decimal(row["points"] / row["max_points"])
    match row["rule"]:
        case "yes_no":
            return Decimal(value >= 1)
        case "steps":
            return max(((a, b) for a, b in steps if a <= value), default=(value, Decimal(0)))[1]
        case "manual":
            return value / row["max_points"] if row["max_points"] else None
    return value / row["target"] if row["target"] else value


def _definition(row: Row, steps: list[tuple[Decimal, Decimal]], run: RunOf, settings: Settings) -> Indicator:
    return Indicator(
        code=row["indicator_code"],
        name=Words(vi=row["name_vi"], en=row["name_en"]),
        pillar_code=row["pillar_code"],
        pillar_name=Words(vi=row["pillar_vi"], en=row["pillar_en"]),
        max_points=row["max_points"],
        rule=row["rule"],
        target=row["target"],
        steps=steps,
        provenance=provenance(row["name_provenance"], row["points_provenance"]),
        official_scoring=_official(row["indicator_code"], run, settings),
    )


def _official(code: str, run: RunOf, settings: Settings) -> str | None:
    """The decision's own wording, from the framework's folder while it still is what the run was computed with."""
    try:
        framework = load_framework(run.framework_id, settings=settings)
    except MethodError:
        return None  # the folder is gone or was changed since; the stored method is explained all the same
    if framework.content_hash != run.framework_hash:
        return None
    return next((each.official_scoring for each in framework.indicators if each.code == code), "") or None


def _result(row: Row, scoring: Scoring) -> IndicatorResult:
    return IndicatorResult(
        status=row["status"],
        numerator=row["numerator"],
        denominator=row["denominator"],
        value=row["value"],
        share=scoring.share,
        is_capped=row["is_capped"],
        points=row["points"],
        max_points=row["max_points"],
        lost=row["max_points"] - row["points"],
        coverage=Decimal(row["status"] != "missing"),
    )


def _facts_of(
    connection: Connection, part: Part, known: dict[str, Row], unit_ids: Sequence[str], run: RunOf, settings: Settings
) -> int:
    found = 0
    for source_id in part.source_ids:
        source = known.get(source_id) or unregistered(source_id, part)
        if known_feed(source["feed"], settings):
            found += int(fact_rows(connection, part, source, unit_ids, run)["rows"])
    return found


def _feed_of(part: Part, parts: Sequence[Part]) -> str:
    """The feed that should give a missing part: the indicator's, as for the side that is known."""
    return part.feed if part.basis is None else parts[0].feed


def _notes(row: Row, run: RunOf, unit: Unit, parts: Sequence[Part], changed: Sequence[str]) -> list[Words]:
    notes = []
    if "provisional" in (row["name_provenance"], row["points_provenance"]):
        notes.append(
            Words(
                vi="Chỉ số thành phần này là tạm thời: nạp phụ lục chính thức bằng dti framework import.",
                en="This component is provisional: load the official annex with dti framework import.",
            )
        )
    if row["is_capped"]:
        notes.append(
            Words(
                vi="Giá trị vượt 100 % nên tính đủ điểm; kiểm tra tử số và mẫu số.",
                en="The value is beyond 100 %, so it earns full points; check numerator and denominator.",
            )
        )
    if changed:
        listed = ", ".join(changed)
        notes.append(
            Words(
                vi=f"Sau lượt tính này đã nạp thêm dữ liệu ({listed}); số bản ghi bên dưới có thể khác.",
                en=f"Data was loaded after this run ({listed}); the records below may differ from what was counted.",
            )
        )
    if any(part.value is not None and part.source_ids and not part.facts_rows for part in parts):
        notes.append(
            Words(
                vi="Không còn số liệu ngày đứng sau một giá trị: dữ liệu đã được nạp lại khác đi.",
                en="The daily facts behind a value are gone: the data was loaded anew, otherwise.",
            )
        )
    return notes
