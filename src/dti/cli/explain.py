"""``dti explain``: where a number comes from, for a person to follow, or as JSON for a program."""

from __future__ import annotations

import sys

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dti.cli.explain_corrections import print_corrections
from dti.cli.explain_evidence import FRESH, print_evidence, table_of
from dti.cli.tables import SYNTHETIC
from dti.explain import explain
from dti.explain.figures import fixed, percent, plain
from dti.explain.model import (
    CompositeExplanation,
    Explanation,
    IndicatorExplanation,
    PillarExplanation,
    RunOf,
    Unit,
    Value,
    Words,
)
from dti.explain.words import AGGREGATION, BASIS
from dti.settings import Settings, get_settings

_STATUS = {"scored": "green", "missing": "red", "undefined": "yellow"}


def print_explanation(
    unit: str, code: str, *, run_id: str | None = None, as_json: bool = False, settings: Settings | None = None
) -> None:
    """Print the explanation of an indicator, pillar or composite of a unit."""
    told = explain(unit, code, run_id=run_id, settings=settings or get_settings())
    if as_json:
        sys.stdout.write(told.model_dump_json(indent=2) + "\n")
        return
    out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=150)
    _print(out, told)


def _print(out: Console, told: Explanation) -> None:
    match told:
        case IndicatorExplanation():
            _print_indicator(out, told)
        case PillarExplanation():
            _print_pillar(out, told)
        case CompositeExplanation():
            _print_composite(out, told)
    for note in told.notes:
        out.print(_both(note, "! "))
    if not told.run.framework_in_force:
        out.print(
            f"Ước tính · Estimate: {told.run.framework_id} is not in force in {told.run.year}.",
            style="yellow",
            markup=False,
        )
    if told.run.synthetic:
        out.print(f"{SYNTHETIC} · Số liệu mô phỏng", style="bold yellow")


def _print_indicator(out: Console, told: IndicatorExplanation) -> None:
    asked, result = told.indicator, told.result
    head = [
        _bold(f"{asked.code} {asked.name.vi}"),
        Text(asked.name.en),
        Text(f"{asked.pillar_code} · {asked.pillar_name.vi} · {asked.pillar_name.en}"),
        _both(asked.provenance.words),
        *_run_lines(told.unit, told.run),
    ]
    out.print(Panel(Group(*head), title=_title(told.unit, asked.code), title_align="left"))
    score = [
        _both(told.rule),
        *([Text(f"Quyết định / decision: “{asked.official_scoring}”")] if asked.official_scoring else []),
        Text(""),
        _bold(told.calculation.vi),
        _bold(told.calculation.en),
        Text(
            f"{result.status} · mất / lost {fixed(result.lost)} · độ phủ / coverage {percent(result.coverage)}",
            _STATUS[result.status],
        ),
        Text(""),
        _both(told.basis_reason),
    ]
    if told.remedy:
        score += [Text(""), Text(told.remedy.vi, "yellow"), Text(told.remedy.en, "yellow")]
    out.print(Panel(Group(*score), title="Cách tính · Calculation", title_align="left"))
    print_corrections(out, told.corrections)
    if told.averaged_from:
        out.print(_averaged(told))
        return
    out.print(_values(told))
    for part in told.parts:
        if part.metric_sql:
            out.print(Text(f"{part.metric}: {part.metric_sql}"), soft_wrap=True)
        if part.merged_from:
            given = ", ".join(
                f"{former.name_vi} ({former.unit_id}) {plain(former.value)}" for former in part.merged_from
            )
            out.print(Text(f"  gộp / merged ({part.merge_rule}): {given}"), soft_wrap=True)
    for evidence in told.evidence:
        print_evidence(out, evidence)
    if told.providers:
        out.print(_providers(told))


def _averaged(told: IndicatorExplanation) -> Table:
    table = table_of(f"Trung bình các tỉnh cũ · Mean of the former provinces, run {told.run.parts_run_id}")
    for name in ("unit", "tên · name", "status", "points", "coverage"):
        table.add_column(name, justify="right" if name in ("points", "coverage") else "left")
    for former in told.averaged_from:
        status = Text(former.status, _STATUS[former.status])
        table.add_row(former.unit_id, Text(former.name_vi), status, fixed(former.points), percent(former.coverage))
    return table


def _values(told: IndicatorExplanation) -> Table:
    table = table_of("Số liệu theo từng hình thức · Values side by side")
    for name in (
        "",
        "metric",
        "hình thức / basis",
        "giá trị / value",
        "ngày / days",
        "nguồn / sources",
        "vì sao / why",
    ):
        table.add_column(name, justify="right" if "value" in name else "left", overflow="fold")
    for part in told.parts:
        title = Text(f"{part.metric}\n{part.name.vi}\n{part.name.en} ({part.metric_unit})")
        if part.value is None:
            table.add_row(_side(part.part), title, Text("–"), Text("thiếu / missing", "red"), "", "", "")
        for value in part.values:
            style = "bold" if value.counts else "dim"
            days = (
                f"{value.first_day} → {value.last_day}" if value.first_day != value.last_day else f"{value.first_day}"
            )
            how = AGGREGATION[part.aggregation]
            more = f"\n{part.facts_rows} dòng / rows of facts\n{how.vi}\n{how.en}" if value.counts else ""
            table.add_row(
                _side(part.part) if value is part.values[0] else "",
                title if value is part.values[0] else "",
                Text(f"{value.basis}\n{BASIS[value.basis].vi}", style),
                Text(plain(value.value) + _before(value), style),
                Text(days + more, style),
                Text("\n".join(value.source_ids), style),
                _both(value.why, style=style),
            )
        table.add_section()
    return table


def _before(value: Value) -> str:
    return "" if value.original_value is None else f"\ngốc / original {plain(value.original_value)}"


def _providers(told: IndicatorExplanation) -> Table:
    table = table_of("Ai có thể cung cấp · Who could give what is missing")
    for name in ("source", "feed", "agency", "today", "reported before", "detail"):
        table.add_column(name)
    for provider in told.providers:
        table.add_row(
            Text(provider.source_id),
            provider.feed,
            Text(provider.agency),
            Text(provider.freshness, FRESH.get(provider.freshness, "red")),
            "yes" if provider.reported_before else "no",
            Text(provider.detail or ""),
        )
    return table


def _print_pillar(out: Console, told: PillarExplanation) -> None:
    result = told.result
    head = [
        _bold(f"{told.code} {told.name.vi}"),
        Text(f"{told.name.en} · {told.group_vi} · {told.provenance}"),
        *_run_lines(told.unit, told.run),
        Text(""),
        _bold(told.calculation.vi),
        _bold(told.calculation.en),
    ]
    if result.rank_national is not None:
        head.append(_ranks(result.rank_national, result.units, result.rank_region, result.units_in_region, told.unit))
    out.print(Panel(Group(*head), title=_title(told.unit, told.code), title_align="left"))
    table = table_of("Chỉ số thành phần, mất nhiều nhất trước · Components, most lost first")
    for name in ("code", "tên · name", "points", "of", "lost", "status", "basis", "provenance"):
        table.add_column(name, justify="right" if name in ("points", "of", "lost") else "left")
    for component in told.components:
        status = component.status + (" (> 100 %)" if component.is_capped else "")
        table.add_row(
            component.code,
            Text(f"{component.name.vi}\n{component.name.en}"),
            fixed(component.points),
            plain(component.max_points),
            Text(fixed(component.lost), "bold" if component.lost else "dim"),
            Text(status, _STATUS[component.status]),
            component.basis or "–",
            component.provenance,
        )
    table.add_section()
    sums = told.sums
    table.add_row(
        "",
        "tổng · sum",
        fixed(sums.points),
        plain(sums.max_points),
        fixed(sums.lost),
        "✓" if sums.agrees else "✗",
        "",
        "",
    )
    out.print(table)


def _print_composite(out: Console, told: CompositeExplanation) -> None:
    result = told.result
    head = [
        _bold(f"{told.code} {told.name.vi}"),
        Text(f"{told.name.en} · {told.provenance}"),
        *_run_lines(told.unit, told.run),
        Text(""),
        _bold(told.calculation.en),
        Text(""),
        _ranks(result.rank_national, result.units, result.rank_region, result.units_in_region, told.unit),
    ]
    if above := told.next_above:
        head.append(
            Text(
                f"trên / above: {above.name_vi} {fixed(above.index_value, told.run.decimals)} "
                f"(#{above.rank}, + {fixed(above.gap, told.run.decimals)})"
            )
        )
    out.print(Panel(Group(*head), title=_title(told.unit, told.code), title_align="left"))
    table = table_of("Các trụ cột · Pillars: weight × index / sum of weights")
    for name in ("code", "tên · name", "weight", "index", "contribution", "lost", "coverage", "+1 point", "rank then"):
        table.add_column(name, justify="left" if name in ("code", "tên · name") else "right")
    for share in told.pillars:
        table.add_row(
            share.pillar_code,
            Text(f"{share.name.vi}\n{share.name.en}"),
            plain(share.weight),
            fixed(share.index_value, told.run.decimals),
            fixed(share.contribution, 6),
            fixed(share.lost, 6),
            percent(share.coverage),
            "–" if share.one_more_point is None else f"+{plain(share.one_more_point, 8)}",
            "–" if share.rank_with_one_more is None else str(share.rank_with_one_more),
        )
    table.add_section()
    sums = told.sums
    mark = "✓" if sums.agrees else "✗"
    table.add_row(
        "", "tổng · sum", plain(sums.weight), mark, fixed(sums.contribution, 6), fixed(sums.lost, 6), "", "", ""
    )
    out.print(table)


def _ranks(rank: int, units: int, rank_region: int | None, in_region: int, unit: Unit) -> Text:
    region = unit.region.vi if unit.region else unit.region_code
    said = f"hạng / rank {rank} / {units}"
    return Text(
        said if rank_region is None else f"{said}; trong vùng / in region {region}: {rank_region} / {in_region}"
    )


def _run_lines(unit: Unit, run: RunOf) -> list[Text]:
    merged = "" if run.merge_method == "none" else f" · merged: {run.merge_method}"
    decided = f", {run.decided_on:%d/%m/%Y}" if run.decided_on else ""
    return [
        Text(f"{run.framework_name.vi} · {run.decision}{decided} · {run.framework_id} {run.framework_hash[:12]}"),
        Text(f"run {run.run_id} · {run.period_from} → {run.period_to} · {unit.unit_id}{merged}", "dim"),
    ]


def _title(unit: Unit, code: str) -> Text:
    return Text(f"{unit.name.vi} · {code}", "bold")


def _side(part: str) -> str:
    return "tử số\nnumerator" if part == "numerator" else "mẫu số\ndenominator"


def _both(words: Words, lead: str = "", style: str = "") -> Text:
    return Text(f"{lead}{words.vi}\n{lead}{words.en}" if words.vi != words.en else f"{lead}{words.en}", style)


def _bold(text: str) -> Text:
    return Text(text, "bold")
