"""Held-back rows of one source as a file for its agency: its own column names and places, reasons in Vietnamese."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from dti.errors import ConfigError
from dti.exports import inert
from dti.feeds import load_contract
from dti.gate.suite import load_suite
from dti.quarantine.columns import AgencyColumn, agency_columns
from dti.quarantine.find import HeldRow
from dti.quarantine.words import Words
from dti.settings import Settings
from dti.sources.model import Source
from dti.sources.spec import load_source

_LONGEST = 32_000  # signs in a cell; Excel takes 32,767
_MOST_ROWS = 1_000_000  # rows of a sheet, less its head
OWN = ("Đêm", "Lô", "Số thứ tự trong lô", "Vị trí trong dữ liệu gửi", "Lý do chưa nạp")


@dataclass(frozen=True)
class _Line:
    """One row of the table: our columns, the agency's, and which of those the reasons speak of."""

    own: list[str]
    values: list[str]
    blamed: frozenset[int]


class Sheet:
    """What is written, whatever the file: head lines, header, lines."""

    def __init__(self, rows: list[HeldRow], settings: Settings) -> None:
        self._rows, newest = rows, rows[-1]
        self._contract = load_contract(newest.feed, settings.include_dir / "feeds")
        self._words = Words(self._contract, settings)
        self._source = _source(newest.source_id, settings)
        self.columns: list[AgencyColumn] = agency_columns(self._contract, self._source, self._words)
        self._speaks_of = _columns_of_rules(newest.feed, settings)

    def head(self) -> list[tuple[str, str]]:
        """What the file is about, as (name, value)."""
        rows, first, last = self._rows, min(r.night for r in self._rows), max(r.night for r in self._rows)
        by_rule = Counter(rule for row in rows for rule in row.rules)
        for row in rows:
            by_rule.update(row.failed_counts)
        told = {rule: row.reason for row in rows for rule in row.rules}
        return [
            ("Dữ liệu chưa nạp được vào kho DTI", ""),
            ("Cơ quan cung cấp", rows[-1].agency),
            ("Nguồn", rows[-1].source_id),
            ("Loại dữ liệu", self._contract.title_vi),
            ("Đêm đọc dữ liệu", f"{first:%d/%m/%Y}" if first == last else f"{first:%d/%m/%Y} – {last:%d/%m/%Y}"),
            ("Số bản ghi chưa nạp", str(sum(row.rows_count for row in rows))),
            *((self._words.reason(rule, told.get(rule, rule)), str(count)) for rule, count in by_rule.most_common()),
        ]

    def header(self) -> list[str]:
        """Names of the columns."""
        return [*OWN, *(column.header for column in self.columns)]

    def lines(self) -> Iterator[_Line]:
        """One line a row."""
        for row in self._rows:
            reasons = list(dict.fromkeys(self._words.reason(rule, row.reason) for rule in row.rules))
            reasons += [f"{n} bản ghi: {self._words.reason(rule, rule)}" for rule, n in row.failed_counts.items()]
            number = "cả lô" if row.is_batch else str(row.row_number)
            own = [f"{row.night:%d/%m/%Y}", row.batch_id, number, row.source_row, "\n".join(reasons)]
            blamed = {name for rule in row.rules for name in self._blamed(rule)}
            values = [column.value(row.record.get(column.name)) for column in self.columns]
            places = (place for place, column in enumerate(self.columns, len(OWN)) if column.name in blamed)
            yield _Line(own, values, frozenset(places))

    def _blamed(self, rule: str) -> list[str]:
        kind, _, name = rule.partition(":")
        return [name] if name else self._speaks_of.get(rule, [kind])


def write_export(rows: list[HeldRow], out: Path | IO[str], *, settings: Settings) -> None:
    """Write ``rows``, all of one source, to a workbook (.xlsx) or a CSV (.csv, or an open text file).

    No cell of either is run by a program that opens it. Raises ConfigError when there is nothing to write, for
    another ending, or when the file cannot be written.
    """
    if not rows:
        raise ConfigError("nothing is held back", where="export", remedy="see: dti quarantine list")
    sheet = Sheet(rows, settings)
    if not isinstance(out, Path):
        _write_csv(sheet, out)
        return
    try:
        if out.suffix.lower() == ".xlsx":
            _write_workbook(sheet, out)
        elif out.suffix.lower() == ".csv":
            text = io.StringIO(newline="")
            _write_csv(sheet, text)
            out.write_text(text.getvalue(), "utf-8-sig", newline="")
        else:
            raise ConfigError("neither .xlsx nor .csv", where=str(out), remedy="name the file by what it shall be")
    except (OSError, FileCreateError) as fault:
        raise ConfigError(f"cannot be written: {fault}", where=str(out), remedy="name a folder that exists") from None


def _write_csv(sheet: Sheet, file: IO[str]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    for name, value in sheet.head():
        writer.writerow([inert(name), inert(value)])
    writer.writerow([])
    writer.writerow([inert(name) for name in sheet.header()])
    for line in sheet.lines():
        writer.writerow([inert(value.replace("\n", "; ")) for value in [*line.own, *line.values]])


def _write_workbook(sheet: Sheet, path: Path) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        page = book.add_worksheet("Chưa nạp")
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#D9E1F2"})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        wrong = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", "bg_color": "#FFC7CE"})
        head = sheet.head()
        top = len(head) + 1
        page.freeze_panes(top + 1, len(OWN))
        for column, width in enumerate([12, 18, 10, 24, 60, *[18] * len(sheet.columns)]):
            page.set_column(column, column, width)
        for number, (name, value) in enumerate(head):
            page.write_string(number, 0, name, book.add_format({"bold": True}) if number == 0 else None)
            page.write_string(number, len(OWN) - 1, value)
        for column, name in enumerate(sheet.header()):
            page.write_string(top, column, _cell(name), bold)
        for number, line in enumerate(sheet.lines(), start=top + 1):
            if number > _MOST_ROWS:
                raise ConfigError("more rows than a sheet holds", where=str(path), remedy="narrow it with --since")
            _write_line(page, number, line, text, wrong)


def _write_line(page: Any, number: int, line: _Line, text: Any, wrong: Any) -> None:
    for column, value in enumerate([*line.own, *line.values]):
        if value or column in line.blamed:
            style = wrong if column in line.blamed else text
            page.write_string(number, column, _cell(value), style) if value else page.write_blank(
                number, column, "", style
            )


def _cell(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def _source(source_id: str, settings: Settings) -> Source | None:
    """The source as its file describes it; None when it is gone, switched off or broken."""
    try:
        return load_source(source_id, settings.sources_dir)
    except ConfigError:
        return None


def _columns_of_rules(feed: str, settings: Settings) -> dict[str, list[str]]:
    """Rule of the suite → landed columns it looks at."""
    contract = load_contract(feed, settings.include_dir / "feeds")
    landed = {column.day_column: name for name, column in contract.columns.items() if column.day_column}
    landed["unit_id"] = "unit"
    try:
        rules = load_suite(feed, settings).expectations
    except ConfigError:
        return {}
    return {each.rule: [landed.get(name, name) for name in each.columns] for each in rules}
