"""One writing means one unit of one geography; what only looks the same is told, never matched."""

from __future__ import annotations

import time
import unicodedata

import pytest

from dti.errors import ConfigError
from dti.gate.units import directory_of, load_units, same_writing, strange_letters


@pytest.fixture
def units():
    return directory_of(
        [
            ("63", "Đắk Lắk", "P63-66"),
            ("63", "Phú Yên", "P63-54"),
            ("34", "Đắk Lắk", "P34-66"),
            ("34", "66", "P34-66"),
            ("34", "Huế", "P34-46"),
            ("34", "Hồ Chí Minh", "P34-79"),
            ("34", "TP.HCM", "P34-79"),
        ],
        "aliases",
    )


@pytest.mark.parametrize(
    ("text", "unit_id"),
    [
        ("Đắk Lắk", "P34-66"),
        ("ĐẮK  LẮK ", "P34-66"),
        (unicodedata.normalize("NFD", "Đắk Lắk"), "P34-66"),
        ("Tỉnh Đắk Lắk", "P34-66"),
        ("tỉnh\u00a0Đắk Lắk", "P34-66"),
        ("Thành phố Huế", "P34-46"),
        ("TP. Huế", "P34-46"),
        ("TP.Huế", "P34-46"),
        ("Tp Hồ Chí Minh", "P34-79"),
        ("tp.hcm", "P34-79"),
        ("66", "P34-66"),
        ("P34-66", "P34-66"),
        ("P63-54", "P63-54"),  # an id names its geography itself
    ],
)
def test_ways_of_writing_one_unit(units, text, unit_id):
    assert units.resolve(text, "34") == unit_id


@pytest.mark.parametrize(
    "text",
    [
        "Ðắk Lắk",  # Icelandic eth
        "Đắk Lắк",  # Cyrillic ka
        "Đắk\u200bLắk",  # a space nobody sees
        "Hue",
        "P34-99",
        "p34-66",
        "Phú Yên",  # merged into Đắk Lắk on 1 July 2025
        "Tỉnh",
        "",
    ],
)
def test_what_is_no_unit_after_the_merger(units, text):
    assert units.resolve(text, "34") is None


def test_a_name_means_the_unit_of_its_own_geography(units):
    assert units.resolve("Đắk Lắk", "63") == "P63-66"
    assert units.resolve("Huế", "63") is None


def test_the_reason_names_the_letter_that_looks_like_another(units):
    assert "U+00D0 LATIN CAPITAL LETTER ETH" in units.explain("Ðắk Lắk", "34")
    assert "U+043A CYRILLIC SMALL LETTER KA" in units.explain("Đắk Lắк", "34")
    assert "U+200B ZERO WIDTH SPACE" in units.explain("Đắk\u200bLắk", "34")
    assert strange_letters("Thừa Thiên - Huế, Bà Rịa – Vũng Tàu 34") == []


def test_the_reason_names_the_unit_of_the_other_geography(units):
    assert "it is P63-54, which does not exist on the row's day" in units.explain("Phú Yên", "34")


def test_one_writing_of_two_units_is_refused():
    with pytest.raises(ConfigError, match="means both P34-66 and P34-67"):
        directory_of([("34", "Đắk Lắk", "P34-66"), ("34", "TỈNH ĐẮK LẮK", "P34-67")], "aliases")


def test_our_own_aliases_are_consistent_and_complete(settings):
    units = load_units(settings)
    assert sum(unit.startswith("P34-") for unit in units.unit_ids) == 34
    assert sum(unit.startswith("P63-") for unit in units.unit_ids) == 63
    assert units.resolve("TP. Huế", "34") == "P34-46"
    assert units.resolve("Hoà Bình", "63") == units.resolve("Hòa Bình", "63") == "P63-17"


def test_missing_aliases_are_named(settings, tmp_path):
    with pytest.raises(ConfigError, match=r"unit_alias\.csv"):
        load_units(settings.model_copy(update={"project": tmp_path}))


def test_resolving_is_one_look_up(units):
    started = time.process_time()
    for _ in range(100_000):
        units.resolve("Tỉnh Đắk Lắk", "34")
    assert time.process_time() - started < 2, "seconds of a processor: the machine may be busy"


def test_same_writing_is_stable():
    for text in ("Thành phố Hồ Chí Minh", "TP. Huế", "Bà Rịa – Vũng Tàu"):
        assert same_writing(same_writing(text)) == same_writing(text)
