"""Persons and secrets are told by their form; what only looks like one stays as it is."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dti.sources.masking import by_form, forms_of, free_text, named_in, typed_text, without
from dti.sources.pull import PullStats


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("gọi 0905123987 nhé", "gọi … nhé"),
        ("gọi 0905 123 987", "gọi …"),
        ("gọi 0905.123.987.", "gọi …."),
        ("+84 905 123 987", "…"),
        ("số 079188012345", "số …"),
        ("079 188 012 345", "…"),
        ("CCCD: 079188012345", "…"),
        ("CMND số 190 123 456", "…"),
        ("thư a.b-c@so.tinh.gov.vn, fax", "thư …, fax"),
        ("Quyết định 12/QĐ do bà Lê Thị Tư ký", "Quyết định 12/QĐ do bà … ký"),
        ("Người lập: TRẦN VĂN BA", "Người lập: …"),
    ],
)
def test_a_person_in_free_text_is_hidden(text: str, left: str) -> None:
    assert free_text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Bà Rịa - Vũng Tàu",
        "Đặc khu Cô Tô",
        "Xã Lê Lợi",
        "Thành phố Hồ Chí Minh",
        "UBND phường Trần Hưng Đạo",
        "Quyết định số 1234/QĐ-UBND ngày 05/03/2026",
        "000.00.13.H12-250630-0001",
        "1.000656.000.00.00.H15",
        "2026-06-30T08:00:00+07:00",
        "03-05-2026 08:30:11",
        "20260630120000",
        "184.057.000 đồng",
    ],
)
def test_names_of_places_numbers_and_days_stay(text: str) -> None:
    assert free_text(text) == text
    assert by_form(text) == text


@pytest.mark.parametrize(
    "text", ["12", "-3.5", "true", "2026-06-30", "2026-06-30T08:00:00+07:00", "1912", "đang xử lý"]
)
def test_what_is_of_its_type_or_says_no_name_stays(text: str) -> None:
    assert typed_text(text) == text


def test_a_name_where_a_number_should_stand_is_hidden() -> None:
    assert typed_text("Nguyễn Văn An xử lý") == "… xử lý"
    assert typed_text("4 (PHẠM THỊ BA, 0905123987)") == "4 (…, …)"


def test_what_a_record_calls_a_person_is_hidden_in_its_other_fields() -> None:
    persons = named_in(["Kpă Hlơi Niê", None, "An"])
    assert free_text("hồ sơ của KPĂ HLƠI NIÊ, An", persons) == "hồ sơ của …, An"


SECRET = st.text(min_size=6, max_size=40).filter(lambda text: text.isprintable() and not text.isspace())


@given(SECRET, st.text(max_size=20), st.text(max_size=20))
def test_a_secret_is_hidden_however_it_is_spelled(secret: str, before: str, after: str) -> None:
    basic = base64.b64encode(f"login:{secret}".encode()).decode()
    for spelled in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), basic, quote(basic, safe="")):
        shown = without(f"{before}<{spelled}>{after}", forms_of(secret, "login"))
        assert f"<{spelled}>" not in shown, spelled


def test_errors_and_remarks_of_a_pull_hold_no_secret_of_it() -> None:
    stats = PullStats()
    stats.keep_secret(None, "token/with+signs")
    stats.warn("they said token%2Fwith%2bsigns, ask 0905123987")
    stats.unmapped("token/with+signs")
    assert stats.warnings == ["they said ***, ask …"]
    assert stats.unmapped_fields == {"***"}
    assert "token" not in repr(stats)
