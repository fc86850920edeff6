"""An indicator of one unit: what it is, what was found, what it earned, and what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection

from dti.errors import MethodError
from dti.explain.corrections import behind_note, corrected_calculation, corrections_of
from dti.explain.evidence import fact_rows, gather, known_feed, sources_of, unregistered
from dti.explain.model import (
    CorrectionTold,
    FormerScore,
    Indicator,
    IndicatorExplanation,
    IndicatorResult,
    Part,
    RunOf,
    Unit,
    Words,
)
from dti.explain.parts import basis_reason, part_of
from dti.explain.providers import providers_of, remedy_words
from dti.explain.store import Row, rows
from dti.explain.words import Scoring, Term, calculation_words, mean_words, provenance, rule_words
from dti.index.framework import load_framework
from dti.settings import Settings


def explain_indicator(
    connection: Connection, run: RunOf, unit: Unit, code: str, settings: Settings
) -> IndicatorExplanation:
    """The indicator ``code``, which the run's framework has."""
    row = _row(connection, run, unit, code)
    steps = _steps(connection, run, code)
    unit_ids = [unit.unit_id, *(unit.former_unit_ids if run.merge_method == "recomputed" else [])]
    parts = [
        part_of(connection, run, unit, row, part, metric)
        for part, metric in (("numerator", row["numerator_metric"]), ("denominator", row["denominator_metric"]))
        if metric
    ]
    scoring = _scoring(row, steps, parts)
    corrections = corrections_of(connection, run, unit, row, [part.metric for part in parts])
    if run.parts_run_id:
        definition = _definition(row, steps, run, settings)
        return _averaged(connection, run, unit, row, scoring, definition, corrections)
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
        calculation=corrected_calculation(scoring, row) if row["correction_id"] else calculation_words(scoring),
        basis=row["basis"],
        basis_order=row["basis_order"],
        basis_reason=basis_reason(row),
        parts=counted,
        averaged_from=[],
        corrections=corrections,
        evidence=evidence,
        providers=providers,
        remedy=None if row["correction_id"] else remedy_words(row["status"], missing, providers, run),
        notes=[
            *_notes(row, counted, [each.source_id for each in evidence if each.changed_since_run]),
            *behind_note(corrections),
        ],
    )


def _averaged(
    connection: Connection,
    run: RunOf,
    unit: Unit,
    row: Row,
    scoring: Scoring,
    definition: Indicator,
    corrections: list[CorrectionTold],
) -> IndicatorExplanation:
    """A merged province has the mean of what its former ones earned; what stands behind is in their own run."""
    found = rows(
        connection,
        """
        select s.unit_id, u.name_vi, s.status, s.points, s.coverage
        from score.indicator_score as s
        inner join ref.unit_succession as n on s.unit_id = n.unit_id_63 and n.unit_id_34 = :unit
        inner join ref.unit as u using (unit_id)
        where s.run_id = :parts and s.indicator_code = :code order by s.unit_id
        """,
        unit=unit.unit_id,
        parts=run.parts_run_id,
        code=definition.code,
    )
    former = [FormerScore.model_validate(each) for each in found]
    deeper = Words(
        vi="; ".join(f'dti explain {f.unit_id} {definition.code} --run "{run.parts_run_id}"' for f in former),
        en="what stands behind each former province is explained in its own run",
    )
    return IndicatorExplanation(
        unit=unit,
        run=run,
        indicator=definition,
        result=_result(row, scoring),
        rule=rule_words(scoring),
        calculation=mean_words([(f.name_vi, f.points) for f in former], row["points"], row["max_points"]),
        basis=row["basis"],
        basis_order=row["basis_order"],
        basis_reason=Words(vi="Theo từng tỉnh cũ.", en="As in each former province."),
        parts=[],
        averaged_from=former,
        corrections=corrections,
        evidence=[],
        providers=[],
        remedy=None,
        notes=[*_notes(row, []), deeper],
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
        share=row["uncapped_share"],
        points=row["points"],
    )


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
        original_value=row["original_value"],
        share=scoring.share,
        is_capped=row["is_capped"],
        points=row["points"],
        max_points=row["max_points"],
        lost=row["max_points"] - row["points"],
        coverage=row["coverage"],
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


def _notes(row: Row, parts: Sequence[Part], changed: Sequence[str] = ()) -> list[Words]:
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
