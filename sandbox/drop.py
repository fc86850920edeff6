"""The drop folder: what offices have sent by the clock, the newest file and the one before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sandbox.files import (
    comma_separated,
    decomposed_utf8_with_mark,
    utf8_with_mark,
    windows_1258,
    workbook,
    write_whole,
)
from sandbox.portals.agencies import NATIONAL, World
from sandbox.portals.form_sheets import declaration_table, inventory_table
from sandbox.portals.office_sheets import staffing_table, teams_table
from sandbox.portals.tables import Table
from sandbox.world.times import business_day, last_report_day, local, midnight


@dataclass(frozen=True)
class Sheet:
    """One kind of file: whose folder it lies in, how often it comes, what stands in it and how it is written.

    ``table`` takes the world and the day the figures stand for.
    """

    source: str
    stem: str
    suffix: str
    is_monthly: bool
    table: Callable[[World, date], Table]
    write: Callable[[Table, date], bytes]

    def days(self, clock: int) -> list[date]:
        """The days that the files in the folder stand for, newest first."""
        if self.is_monthly:
            return [last_report_day(clock), last_report_day(clock, 1)]
        return [business_day(clock), business_day(clock) - timedelta(days=1)]

    def path(self, home: Path, day: date) -> Path:
        """Where the file of ``day`` lies."""
        stands_for = f"{day:%Y-%m}" if self.is_monthly else f"{day:%Y-%m-%d}"
        return home / "drop" / self.source / f"{self.stem}-{stands_for}{self.suffix}"


def _book(table: Table, day: date) -> bytes:
    return workbook(table, local(midnight(day) + 20 * 3600))


SHEETS = {
    sheet.source: sheet
    for sheet in (
        Sheet("so-noi-vu-dak-lak", "nhan-luc", ".xlsx", True, lambda w, d: staffing_table(w, "dak-lak", d), _book),
        Sheet(
            "bo-noi-vu", "nhan-luc", ".csv", True,
            lambda w, d: staffing_table(w, NATIONAL, d), lambda t, _: comma_separated(t, ";", windows_1258),
        ),
        Sheet("to-cnscd-dak-lak", "to-cnscd", ".xlsx", True, lambda w, d: teams_table(w, "dak-lak", d), _book),
        Sheet(
            "to-cnscd-quoc-gia", "to-cnscd", ".csv", True,
            lambda w, d: teams_table(w, NATIONAL, d), lambda t, _: comma_separated(t, ",", decomposed_utf8_with_mark),
        ),
        Sheet("kiem-ke-dak-lak", "danh-muc", ".xlsx", False, lambda w, d: inventory_table(w, "dak-lak", d), _book),
        Sheet(
            "kiem-ke-lam-dong", "danh-muc", ".csv", False,
            lambda w, d: inventory_table(w, "lam-dong", d), lambda t, _: comma_separated(t, ";", utf8_with_mark),
        ),
        Sheet("khai-bao-dak-lak", "khai-bao", ".xlsx", False, declaration_table, _book),
    )
}  # fmt: skip


def write_drop(world: World, home: Path, clock: int) -> list[Path]:
    """Make ``home/drop`` what it is at ``clock`` and return the files; earlier and later files of ours go away.

    Each file is written whole or not at all. Files of other names are left alone.
    """
    return [path for sheet in SHEETS.values() for path in _write(sheet, world, home, clock)]


def _write(sheet: Sheet, world: World, home: Path, clock: int) -> Iterator[Path]:
    wanted = [sheet.path(home, day) for day in sheet.days(clock)]
    for path, day in zip(wanted, sheet.days(clock), strict=True):
        write_whole(path, sheet.write(sheet.table(world, day), day))
        yield path
    for path in (home / "drop" / sheet.source).glob(f"{sheet.stem}-*{sheet.suffix}"):
        if path not in wanted:
            path.unlink()
