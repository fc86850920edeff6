"""What offices put into the drop folder: CSV of any writing, workbooks of any content, and files that were damaged."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from dti.settings import Settings
from tests.unit.hostile.junk import NASTY, SCALARS, TEXTS, scratched
from tests.unit.hostile.landed import landed
from tests.unit.hostile.profiles import fuzz, told
from tests.unit.sources.agency import WINDOW
from tests.unit.sources.test_tabular import ONE, SUB, TITLE, TOP, TWO, csv_text, source

GRID: list[list[Any]] = [[TITLE[0]], [TITLE[1]], [], TOP, SUB, ONE, TWO]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1258", "latin-1", "shift_jis", "utf-7")
CELLS = st.one_of(
    SCALARS,
    st.sampled_from([*NASTY, *TOP, *SUB, "Cộng", "Tổng số:", "(1)", "=SUM(D6:D7)", '=HYPERLINK("http://x")', "#REF!"]),
    st.dates(),
    st.datetimes(),
    st.times(),
)
_numbers = itertools.count()


@st.composite
def grids(draw: st.DrawFn) -> list[list[Any]]:
    """The table of an office with some cells changed and some rows or cells put in, left out, doubled or cut off."""
    grid = [list(row) for row in GRID]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.integers(0, len(grid) - 1))
        column = draw(st.integers(0, 13))
        match draw(st.sampled_from(["cell", "cell", "cell", "row", "drop", "double", "cut", "insert"])):
            case "cell":
                grid[row] += [None] * (column + 1 - len(grid[row]))
                grid[row][column] = draw(CELLS)
            case "row":
                grid.insert(row, draw(st.lists(CELLS, max_size=16)))
            case "drop" if len(grid) > 1:
                del grid[row]
            case "double":
                grid.insert(row, list(grid[row]))
            case "cut":
                del grid[row][column:]
            case _:
                grid[row].insert(column, draw(CELLS))
    return grid


def csv_of(grid: list[list[Any]], delimiter: str, quoting: int) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, escapechar="\\")  # type: ignore[arg-type]
    lines = [["" if cell is None else str(cell) for cell in row] for row in grid]
    writer.writerows([] if line == [""] else line for line in lines)  # without quotes the two are one
    return text.getvalue()


def workbook_of(grid: list[list[Any]]) -> bytes:
    """A workbook of these cells; what no program can write into one is left out or shortened."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for number, row in enumerate(grid, start=1):
        for column, value in enumerate(row, start=1):
            sheet.cell(number, column, writable(value))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def writable(value: Any) -> Any:
    """What a program can write into a cell in place of ``value``."""
    if isinstance(value, str):
        return ILLEGAL_CHARACTERS_RE.sub("", value).encode("utf-8", "ignore").decode()[:32_000]
    if isinstance(value, int | float) and not abs(value) < 1e300:
        return str(value)[:30]
    if isinstance(value, dt.date | dt.datetime) and value.year < 1900:
        return value.isoformat()
    return value


SOUND = workbook_of(GRID)


def with_part(name: str, content: bytes, whole: bytes = SOUND) -> bytes:
    """The workbook with one part replaced, so that its checksums are right again."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, content if part == name else old.read(part))
    return file.getvalue()


with zipfile.ZipFile(io.BytesIO(SOUND)) as archive:
    PARTS = {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


@fuzz(
    60,
    1200,
    grid=grids(),
    delimiter=st.sampled_from(";,\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE]),
    encoding=st.sampled_from(ENCODINGS),
)
def test_a_csv(
    grid: list[list[Any]], delimiter: str, quoting: int, encoding: str, drop: Path, settings: Settings
) -> None:
    (drop / "staff.csv").write_bytes(csv_of(grid, delimiter, quoting).encode(encoding, "replace"))
    landed(source(), WINDOW, settings, drop)


@fuzz(
    40,
    900,
    content=scratched(
        [csv_text().encode(), csv_text("\t").encode("utf-16"), csv_text(",").encode("cp1258", "replace")]
    ),
)
def test_a_csv_that_was_damaged(content: bytes, drop: Path, settings: Settings) -> None:
    (drop / "staff.csv").write_bytes(content)
    landed(source(), WINDOW, settings, drop)


@fuzz(25, 700, grid=grids())
def test_a_workbook(grid: list[list[Any]], drop: Path, settings: Settings) -> None:
    (drop / "staff.xlsx").write_bytes(workbook_of(grid))
    landed(source(), WINDOW, settings, drop)


@fuzz(40, 900, content=scratched([SOUND]))
def test_a_workbook_that_was_damaged(content: bytes, drop: Path, settings: Settings) -> None:
    (drop / "staff.xlsx").write_bytes(content)
    landed(source(), WINDOW, settings, drop)


@fuzz(60, 1200, data=st.data(), name=st.sampled_from(sorted(PARTS)))
def test_a_part_of_a_workbook_that_was_damaged(data: st.DataObject, name: str, drop: Path, settings: Settings) -> None:
    """Under a right checksum: a program wrote it like this."""
    (drop / "staff.xlsx").write_bytes(with_part(name, data.draw(scratched([PARTS[name]]))))
    landed(source(), WINDOW, settings, drop)


@fuzz(20, 300, name=TEXTS.filter(lambda name: 0 < len(name.encode("utf-8", "replace")) < 200))
def test_a_name_in_the_drop_folder(name: str, drop: Path, settings: Settings) -> None:
    """The file of an agency is called anything; what we write down of it steers nothing."""
    folder = drop / str(next(_numbers))
    folder.mkdir()
    path = folder / ("staff " + name.encode("utf-8", "replace").decode().replace("/", "-").replace("\x00", "-"))
    path.write_text(csv_text(), "utf-8")
    manifest = landed(source(), WINDOW, settings, folder)
    assert manifest is not None
    assert all("\x1b" not in file and "\u202e" not in file and "/" not in file for file in manifest.source_files)


@fuzz(20, 300, path=TEXTS)
def test_a_path_of_a_source_stays_in_the_drop_folder(path: str, drop: Path, settings: Settings) -> None:
    (drop / "staff.csv").write_text(csv_text(), "utf-8")
    text = path.encode("utf-8", "replace").decode().lstrip("/")
    described = told(lambda: source(path=text), "staff.yml")  # ${NAME} is filled from the environment, or refused
    manifest = landed(described, WINDOW, settings, drop) if described else None
    assert manifest is None or manifest.source_files == ["staff.csv"]
