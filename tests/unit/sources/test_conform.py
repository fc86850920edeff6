"""Canonical text: read what is certain, pass on what is not."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dti.clock import ZONE
from dti.feeds import Column
from dti.sources.conform import clean, conformer, number
from dti.sources.personal import pseudonym

FORMATS = ["%d/%m/%Y", "%d/%m/%Y %H:%M", "%Y%m%d%H%M%S"]


def conform(
    kind: Any, value: Any, decimal_comma: bool | None = True, codes: dict[str, str] | None = None
) -> str | None:
    column = Column(type=kind, vi="", description="")
    return conformer(column, decimal_comma=decimal_comma, formats=FORMATS, codes=codes or {})(value)


@pytest.mark.parametrize(
    ("text", "decimal_comma", "expected"),
    [
        ("1.234,5", True, "1234.5"),
        ("1.234.567", True, "1234567"),
        ("1 234,50", True, "1234.5"),
        ("1\u00a0234", True, "1234"),
        ("−12,5", True, "-12.5"),
        ("12.5", True, "12.5"),
        ("0.500", True, "0.5"),
        ("1.234", True, "1234"),
        ("1.234", False, "1.234"),
        ("1,234.5", False, "1234.5"),
        ("1.234", None, "1.234"),
        ("007", True, "7"),
        ("+5", True, "5"),
        ("1e3", None, "1000"),
        ("-0", True, "0"),
    ],
)
def test_numbers_as_offices_write_them(text: str, decimal_comma: bool | None, expected: str) -> None:
    assert conform("decimal", text, decimal_comma) == expected


@pytest.mark.parametrize(
    "text", ["1.234,5.6", "12,34,5", "1.23.456", "12 %", "mười", "1e999999999", "٣", "1,5 triệu", "--1"]
)
@pytest.mark.parametrize("kind", ["integer", "decimal"])
def test_what_is_no_number_passes_as_it_came(kind: str, text: str) -> None:
    assert conform(kind, text) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [(12.0, "12"), (0.1 + 0.2, "0.3"), (1e15, "1000000000000000"), (12, "12"), (True, "true"), (float("nan"), None)],
)
def test_numbers_of_cells_and_json(value: Any, expected: str | None) -> None:
    assert conform("decimal", value) == expected


@given(st.decimals(min_value=-(10**15), max_value=10**15, allow_nan=False, places=3), st.booleans(), st.booleans())
def test_every_number_is_read_back_from_either_notation(value: Decimal, decimal_comma: bool, grouped: bool) -> None:
    text = f"{value:,}" if grouped else f"{value}"
    if decimal_comma:
        text = text.translate(str.maketrans(",.", ".,"))
    assert number(text, decimal_comma) == value


@given(st.text(max_size=20))
def test_no_text_is_read_as_two_different_numbers(text: str) -> None:
    plain = number(text, None)
    if plain is not None:
        assert number(text, False) == plain
        assert conform("decimal", text, None) == conform("decimal", conform("decimal", text, None), None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-01", "2026-03-01"),
        ("01/03/2026", "2026-03-01"),
        ("1/3/2026", "2026-03-01"),
        ("2026-03-01T23:30:00Z", "2026-03-02"),
        ("2026-03-01T23:30:00", "2026-03-01"),
        (datetime(2026, 3, 1, 8, 30), "2026-03-01"),  # noqa: DTZ001 - a cell has no zone
        (date(2026, 3, 1), "2026-03-01"),
        ("31/02/2026", "31/02/2026"),
        ("2026-02-30", "2026-02-30"),
        (45000.0, "45000"),
        ("  ", None),
    ],
)
def test_days(value: Any, expected: str | None) -> None:
    assert conform("date", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T17:00:00+07:00"),
        ("2026-03-01 10:00:00", "2026-03-01T10:00:00+07:00"),
        ("2026-03-01T10:00:00.1234567+07:00", "2026-03-01T10:00:00.123456+07:00"),
        ("20260301100000", "2026-03-01T10:00:00+07:00"),
        ("01/03/2026 10:00", "2026-03-01T10:00:00+07:00"),
        ("2026-03-01", "2026-03-01T00:00:00+07:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("2026030112345", "2026030112345"),
        ("2026-03-01T25:00:00", "2026-03-01T25:00:00"),
        (1772334000, "1772334000"),
    ],
)
def test_times(value: Any, expected: str) -> None:
    assert conform("timestamptz", value) == expected


@given(st.datetimes(datetime(1976, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, ZONE])))  # noqa: DTZ001
def test_every_time_is_the_same_moment_after_conforming(value: datetime) -> None:
    text = conform("timestamptz", value.isoformat())
    assert text is not None
    assert datetime.fromisoformat(text) == value
    assert conform("timestamptz", text) == text
    assert conform("date", value.strftime("%d/%m/%Y")) == value.date().isoformat()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Có", "true"), (unicodedata.normalize("NFD", "KHÔNG"), "false"), ("x", "true"), (1.0, "true"), (0, "false"),
     (True, "true"), ("", None), ("chưa rõ", "chưa rõ")],
)  # fmt: skip
def test_booleans(value: Any, expected: str | None) -> None:
    assert conform("boolean", value) == expected


def test_codes_come_first_exactly_then_folded_and_for_nothing() -> None:
    codes = {"Đã kết nối": "true", "": "false", "b": "1", "B": "2"}
    assert conform("boolean", unicodedata.normalize("NFD", " đã  kết nối "), codes=codes) == "true"
    assert conform("boolean", None, codes=codes) == "false"
    assert [conform("integer", text, codes=codes) for text in "bB"] == ["1", "2"]


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=30))
def test_any_text_can_be_written_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert once is None or (once.encode("utf-8") and "\x00" not in once and clean(once) == once)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_nothing_an_agency_sends_breaks_conforming(value: Any) -> None:
    for kind in ("string", "integer", "decimal", "boolean", "date", "timestamptz"):
        text = conform(kind, value, None)
        assert text is None or text.encode("utf-8")


def test_pseudonyms_are_keyed_and_one_for_each_person() -> None:
    assert pseudonym("066 099 000 001", b"k") == pseudonym("066099000001", b"k")
    assert pseudonym("066099000001", b"k") != pseudonym("066099000001", b"other")
    assert pseudonym("066099000002", b"k") != pseudonym("066099000001", b"k")
    assert len(pseudonym("1", b"k") or "") == 64
    assert pseudonym(None, b"k") is pseudonym("  ", b"k") is None
