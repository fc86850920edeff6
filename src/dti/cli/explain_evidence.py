"""The part of ``dti explain`` that shows one source: its batches, what was held back, records to open."""

from __future__ import annotations

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dti.clock import ZONE
from dti.explain.figures import plain
from dti.explain.model import Evidence

BATCHES_SHOWN = 10
FRESH = {"fresh": "green", "stale": "yellow"}


def print_evidence(out: Console, told: Evidence) -> None:
    """One panel: who the source is, how fresh, and everything it gave or would have given."""
    good = f"{told.good_until.astimezone(ZONE):%Y-%m-%d %H:%M}" if told.good_until else "–"
    lines = [
        Text(f"{told.agency} · {told.owner} · {told.licence}"),
        Text(f"{told.feed}: {told.feed_name.vi} · {told.feed_name.en} · rollup {told.rollup_sql}"),
        Text(
            f"hiện nay / today: {told.freshness}, dữ liệu tốt đến / good until {good}"
            + (f" — {told.freshness_detail}" if told.freshness_detail else ""),
            FRESH.get(told.freshness, "red"),
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
    for number, file in enumerate(_files(told), start=1):  # whole, so that it can be copied
        out.print(Text(f"[{number}] {file}"), soft_wrap=True)


def _batches(told: Evidence) -> Table:
    table = table_of("Lô dữ liệu · Batches whose records count")
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
        table = table_of("Bản ghi bị giữ lại · Quarantined records that would have counted", "yellow")
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


def _files(told: Evidence) -> list[str]:
    """The landed files of the samples, each once."""
    return list(dict.fromkeys(sample.file for sample in told.samples if sample.file))


def _samples(told: Evidence) -> Table:
    table = table_of("Bản ghi mẫu trong vùng tiếp nhận · Sample records in landing (DTI_HOME)")
    for name in ("key", "counts in", "file", "row", "at the agency"):
        table.add_column(name, justify="right" if name == "row" else "left", overflow="fold")
    files = _files(told)
    for sample in told.samples:
        key = ", ".join(f"{name} = {value}" for name, value in sample.key.items())
        table.add_row(
            Text(key),
            Text(" + ".join(sample.counts_in)),
            Text(f"[{files.index(sample.file) + 1}]") if sample.file else Text("không còn / not in landing any more"),
            "" if sample.row is None else str(sample.row),
            Text(sample.source_row or ""),
        )
    return table


def table_of(title: str, style: str = "bold") -> Table:
    """An empty table under its title."""
    return Table(title=title, title_justify="left", title_style=style)
