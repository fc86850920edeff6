"""``dti explain``: where a number comes from, for a person to follow, or as JSON for a program."""

from __future__ import annotations

import sys

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dti.cli.tables import SYNTHETIC
from dti.clock import ZONE
from dti.explain import explain
from dti.explain.figures import fixed, percent, plain
from dti.explain.model import (
    CompositeExplanation,
    Evidence,
    Explanation,
    IndicatorExplanation,
    PillarExplanation,
    RunOf,
    Unit,
    Words,
)
from dti.explain.words import AGGREGATION, BASIS
from dti.settings import Settings, get_settings

BATCHES_SHOWN = 10
_STATUS = {"scored": "green", "missing": "red", "undefined": "yellow"}
_FRESH = {"fresh": "green", "stale": "yellow"}


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
    out.print(_values(told))
    for part in told.parts:
        if part.metric_sql:
            out.print(Text(f"{part.metric}: {part.metric_sql}"), soft_wrap=True)
    for evidence in told.evidence:
        _print_evidence(out, evidence)
    if told.providers:
        out.print(_providers(told))


def _values(told: IndicatorExplanation) -> Table:
    table = _table("Số liệu theo từng hình thức · Values side by side")
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
                Text(plain(value.value), style),
                Text(days + more, style),
                Text("\n".join(value.source_ids), style),
                _both(value.why, style=style),
            )
        table.add_section()
    return table


def _print_evidence(out: Console, told: Evidence) -> None:
    good = f"{told.good_until.astimezone(ZONE):%Y-%m-%d %H:%M}" if told.good_until else "–"
    lines = [
        Text(f"{told.agency} · {told.owner} · {told.licence}"),
        Text(f"{told.feed}: {told.feed_name.vi} · {told.feed_name.en} · rollup {told.rollup_sql}"),
        Text(
            f"hiện nay / today: {told.freshness}, dữ liệu tốt đến / good until {good}"
            + (f" — {told.freshness_detail}" if told.freshness_detail else ""),
            _FRESH.get(told.freshness, "red"),
        ),
        Text(
            f"{told.facts_rows} dòng / rows of facts, {told.first_day} → {told.last_day}; "
            f"{told.records} bản ghi / records behind them"
            if told.facts_rows
            else "không có số liệu ngày / no facts for this figure"
        ),
    ]
    if told.synthetic:
        lines.append(Text("synthetic · mô phỏng", "yellow"))
    inside: list[Text | Table] = [*lines]
    if told.batches:
        inside.append(_batches(told))
    inside += _held(told)
    if told.samples:
        inside.append(_samples(told))
    out.print(Panel(Group(*inside), title=Text(f"Nguồn · Source {told.source_id}"), title_align="left"))


def _batches(told: Evidence) -> Table:
    table = _table("Lô dữ liệu · Batches whose records count")
    for name in ("batch", "night", "landed at"):
        table.add_column(name, no_wrap=name == "night", overflow="fold")
    for name in ("landed", "loaded", "held", "tử số / num.", "mẫu số / den."):
        table.add_column(name, justify="right")
    table.add_column("sha256")
    for batch in told.batches[-BATCHES_SHOWN:]:
        counts = (batch.rows_landed, batch.rows_loaded, batch.rows_quarantined)
        table.add_row(
            Text(batch.batch_id),
            str(batch.night),
            f"{batch.landed_at.astimezone(ZONE):%Y-%m-%d %H:%M}",
            *map(plain, (*counts, batch.numerator_records, batch.denominator_records)),
            batch.sha256[:12],
        )
    if len(told.batches) > BATCHES_SHOWN:
        table.caption = f"… {len(told.batches) - BATCHES_SHOWN} older ones: --json"
    return table


def _held(told: Evidence) -> list[Text | Table]:
    held, lines = told.held, list[Text | Table]()
    if held.rules:
        table = _table("Bản ghi bị giữ lại · Quarantined records that would have counted", "yellow")
        table.add_column("rule")
        for name in ("records", "tử số / num.", "mẫu số / den.", "không rõ / cannot tell", "unit unknown"):
            table.add_column(name, justify="right")
        table.add_column("example")
        for rule in held.rules:
            figures = (rule.records, rule.numerator_records, rule.denominator_records, rule.undecided_records)
            table.add_row(
                Text(rule.rule),
                *map(plain, (*figures, rule.unit_unknown_records)),
                Text(rule.example_reason),
            )
        lines.append(table)
    else:
        lines.append(Text("không có bản ghi nào bị giữ lại mà lẽ ra được tính · nothing held back would have counted"))
    if any(rule.unit_unknown_records for rule in held.rules):
        lines.append(
            Text("! đơn vị không rõ: có thể của tỉnh khác · unit unknown: they may belong to another unit", "yellow")
        )
    said = [
        (
            held.outside_records,
            "của đơn vị này nhưng không được tính ở đây / of this unit held, but would not have counted here",
        ),
        (held.came_later_records, "đã qua ở lô khác / held once, passed in another batch since"),
        (held.other_unit_records, "của đơn vị khác / held of other units"),
    ]
    if told_apart := "; ".join(f"{count} {what}" for count, what in said if count):
        lines.append(Text(f"còn / also: {told_apart}", "dim"))
    if held.stopped_batches:
        listed, count = ", ".join(held.stopped_batches[-3:]), len(held.stopped_batches)
        lines.append(
            Text(
                f"! {count} lô bị dừng / batches stopped whole, {held.stopped_records} dòng / rows: {listed}",
                "red",
            )
        )
    if held.truncated:
        lines.append(
            Text(
                "! chưa đọc hết, số đếm là tối thiểu / not all lines were read: these counts are a lower bound",
                "yellow",
            )
        )
    return lines


def _samples(told: Evidence) -> Table:
    table = _table("Bản ghi mẫu trong vùng tiếp nhận · Sample records in landing (DTI_HOME)")
    for name in ("key", "counts in", "file", "row", "at the agency"):
        table.add_column(name, justify="right" if name == "row" else "left", overflow="fold")
    for sample in told.samples:
        key = ", ".join(f"{name} = {value}" for name, value in sample.key.items())
        table.add_row(
            Text(key),
            Text(" + ".join(sample.counts_in)),
            Text(sample.file or "not in landing any more"),
            "" if sample.row is None else str(sample.row),
            Text(sample.source_row or ""),
        )
    return table


def _providers(told: IndicatorExplanation) -> Table:
    table = _table("Ai có thể cung cấp · Who could give what is missing")
    for name in ("source", "feed", "agency", "today", "reported before", "detail"):
        table.add_column(name)
    for provider in told.providers:
        table.add_row(
            Text(provider.source_id),
            provider.feed,
            Text(provider.agency),
            Text(provider.freshness, _FRESH.get(provider.freshness, "red")),
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
    table = _table("Chỉ số thành phần, mất nhiều nhất trước · Components, most lost first")
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
    table = _table("Các trụ cột · Pillars: weight × index / sum of weights")
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


def _table(title: str, style: str = "bold") -> Table:
    return Table(title=title, title_justify="left", title_style=style)
