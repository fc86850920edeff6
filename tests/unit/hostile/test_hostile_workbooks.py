"""Workbooks made to do harm, or that lean on what is not in them: refused by name, or read for the values they hold."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dti.errors import SourceMalformed
from dti.sources.pull import PullStats
from dti.sources.read import read
from tests.unit.hostile.test_fuzz_tables import GRID, PARTS, SOUND, with_part, workbook_of
from tests.unit.sources.agency import KEY, WINDOW
from tests.unit.sources.test_tabular import ONE, expect_two, source

SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = b'<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
OUTSIDE = b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet>&x;</worksheet>'


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def pulled(drop: Path, content: bytes) -> tuple[list[dict[str, str | None]], PullStats]:
    (drop / "staff.xlsx").write_bytes(content)
    stats = PullStats()
    return list(read(source(), WINDOW, None, KEY, stats, drop_dir=drop)), stats


def with_parts(*parts: tuple[str, bytes]) -> bytes:
    """A sound workbook and these parts besides."""
    file = io.BytesIO(SOUND)
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # a part that stands there twice is meant
        for name, content in parts:
            archive.writestr(name, content)
    return file.getvalue()


def with_cell(value: Any) -> bytes:
    """The sound table, with something else as the first head count."""
    changed = [[*row[:3], value, *row[4:]] if row is ONE else row for row in GRID]
    return workbook_of(changed)


def with_xml(old: bytes, new: bytes) -> bytes:
    assert PARTS[SHEET].count(old) >= 1
    return with_part(SHEET, PARTS[SHEET].replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        pytest.param("xl/vbaProject.bin", "holds macros; they are neither read nor run", id="macros"),
        pytest.param("xl/externalLinks/externalLink1.xml", "refers to other workbooks", id="external-links"),
        pytest.param("xl/embeddings/oleObject1.bin", "holds other files; they are not read", id="embedded-files"),
    ],
)
def test_what_could_run_or_lead_elsewhere_is_left_out_and_told(drop: Path, name: str, remark: str) -> None:
    content = b'<externalLink xmlns="x"/>' if name.endswith(".xml") else b"\x00attack"
    rows, stats = pulled(drop, with_parts((name, content)))
    expect_two(rows)
    (told,) = stats.warnings
    assert remark in told


@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(lambda: with_part(SHEET, LAUGHS), "declares a document type", id="billion-laughs"),
        pytest.param(lambda: with_part(SHEET, OUTSIDE), "declares a document type", id="external-entity"),
        pytest.param(
            lambda: with_parts(("xl/media/image1.xml", b" " * 30_000_000)), "the workbook is a bomb", id="zip-bomb"
        ),
        pytest.param(
            lambda: with_parts(*((f"xl/p{n}.xml", b"<a/>") for n in range(5_001))), "parts: too many", id="many-parts"
        ),
        pytest.param(lambda: with_parts((SHEET, PARTS[SHEET])), "has a part twice", id="a-part-twice"),
        pytest.param(
            lambda: with_xml(b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
            "merges more than 10,000,000 cells",
            id="endless-merge",
        ),
        pytest.param(lambda: with_cell("=SUM(E6:G6)"), "D6 holds a formula that was never computed", id="formula"),
        pytest.param(
            lambda: with_cell('=WEBSERVICE("http://evil.example")'), "D6 holds a formula", id="formula-to-the-network"
        ),
        pytest.param(lambda: b"\xd0\xcf\x11\xe0" + SOUND, "two files in one", id="two-files-in-one"),
    ],
)
def test_a_workbook_made_to_do_harm_lands_nothing(drop: Path, make: Callable[[], bytes], told: str) -> None:
    with pytest.raises(SourceMalformed, match=told) as caught:
        pulled(drop, make())
    assert str(caught.value).startswith("staff: staff.xlsx: ")
    assert caught.value.remedy


def test_a_formula_outside_the_table_harms_nothing(drop: Path) -> None:
    rows, stats = pulled(drop, workbook_of([*GRID, [], ["Tổng cộng", None, None, "=SUM(D6:D7)"]]))
    expect_two(rows)
    assert stats.warnings == ["Sheet: 1 total(s) left out: row 9"]
