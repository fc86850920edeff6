"""Framework 922 as it ships, and what its content hash does and does not depend on."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from dti.errors import MethodError
from dti.index.framework import lint_folder, load_framework
from dti.index.model import Framework
from dti.settings import Settings

DECISION = {  # pillar: components, points, as the decision lays them down
    "NT": (10, 100), "TC": (11, 100), "HT": (7, 100), "NL": (13, 100), "AT": (12, 100), "DTTM": (3, 0),
    "CQS": (22, 200), "KTS": (12, 150), "XHS": (8, 150),
}  # fmt: skip


@pytest.fixture
def copy(settings: Settings, tmp_path: Path) -> Path:
    """A copy of the shipped folder that a test may change."""
    return Path(shutil.copytree(settings.include_dir / "frameworks" / "922-2022", tmp_path / "922-2022"))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_it_is_the_decisions_structure_and_sound(settings: Settings) -> None:
    framework = load_framework("922-2022", settings=settings)
    own = {
        pillar.code: [i for i in framework.indicators if i.pillar_code == pillar.code] for pillar in framework.pillars
    }
    assert {c: (len(i), int(sum(x.max_points for x in i))) for c, i in own.items()} == DECISION
    assert len(framework.indicators) == 98
    assert lint_folder("922-2022", settings=settings) == []


def test_composites_are_those_that_reproduce_the_published_values(settings: Settings) -> None:
    framework = load_framework("922-2022", settings=settings)
    base = dict.fromkeys(("NT", "TC", "HT", "NL", "AT"), Decimal(100))
    assert {code: composite.weights for code, composite in framework.composites.items()} == {
        "PDTI": {**base, "CQS": 200, "KTS": 150, "XHS": 150},
        "CHINH_QUYEN_SO": {**base, "CQS": 200},
        "KINH_TE_SO": {**base, "KTS": 150},
        "XA_HOI_SO": {**base, "XHS": 150},
    }


def test_provenance_is_kept_and_no_component_passes_for_official(settings: Settings) -> None:
    framework = load_framework("922-2022", settings=settings)
    scored = [indicator for indicator in framework.indicators if indicator.max_points > 0]
    assert {indicator.points_provenance for indicator in scored} == {"provisional"}
    assert {pillar.provenance for pillar in framework.pillars} == {"quoted"}


def test_in_force_from_2021_to_2023(settings: Settings) -> None:
    years = load_framework("922-2022", settings=settings).in_force
    assert [year for year in range(2019, 2027) if years.covers(year)] == [2021, 2022, 2023]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("framework.yml", "# The method of Decision", "# The method, as data, of Decision"),
        ("framework.yml", "max_points: 1000", "max_points: 1000.0"),
        ("framework.yml", "weights: {NT: 100,", "weights: {NT: 1.0e+2,"),
        ("indicators.csv", "digital transformation,10,steps", "digital transformation,10.00,steps"),
    ],
)
def test_comments_and_spelling_of_numbers_are_no_method(
    settings: Settings, copy: Path, file: str, old: str, new: str
) -> None:
    before = load_framework(copy, settings=settings).content_hash
    _replace(copy / file, old, new)
    assert load_framework(copy, settings=settings).content_hash == before
    assert before == load_framework("922-2022", settings=settings).content_hash


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("framework.yml", "decimals: 4", "decimals: 5"),
        ("framework.yml", "[measured, appraised, declared]", "[appraised, measured, declared]"),
        ("framework.yml", "weights: {NT: 100,", "weights: {NT: 101,"),
        ("indicators.csv", "0=0;1=0.5;2=1", "0=0;1=0.6;2=1"),
        ("indicators.csv", "declarations,inferred,provisional", "declarations,quoted,provisional"),
    ],
)
def test_every_part_of_the_method_changes_the_hash(
    settings: Settings, copy: Path, file: str, old: str, new: str
) -> None:
    before = load_framework(copy, settings=settings).content_hash
    _replace(copy / file, old, new)
    assert load_framework(copy, settings=settings).content_hash != before


def test_a_spreadsheets_byte_order_mark_and_line_ends_do_not_matter(settings: Settings, copy: Path) -> None:
    before = load_framework(copy, settings=settings)
    file = copy / "indicators.csv"
    file.write_text("\ufeff" + file.read_text("utf-8").replace("\n", "\r\n"), "utf-8", newline="")
    after = load_framework(copy, settings=settings)
    assert after.content_hash == before.content_hash
    assert [indicator.line for indicator in after.indicators] == list(range(2, 100))


def test_every_metric_is_registered_for_its_feed(settings: Settings) -> None:
    with (settings.include_dir / "reference" / "metrics.csv").open(encoding="utf-8", newline="") as file:
        known = {(row["metric"], row["feed"]) for row in csv.DictReader(file)}
    framework: Framework = load_framework("922-2022", settings=settings)
    assert {(i.numerator_metric, i.feed) for i in framework.indicators} <= known


def test_an_unknown_framework_names_those_there_are(settings: Settings) -> None:
    with pytest.raises(MethodError, match="922-2022"):
        load_framework("923-2022", settings=settings)


def test_a_framework_that_cannot_be_read_names_file_line_and_every_fault(settings: Settings, copy: Path) -> None:
    _replace(copy / "indicators.csv", "10,yes_no,portal_has_dx_section", "ten,maybe,portal_has_dx_section")
    with pytest.raises(MethodError) as caught:
        load_framework(copy, settings=settings)
    assert caught.value.where == f"{copy / 'indicators.csv'}:5"
    assert "max_points" in str(caught.value)
    assert "rule" in str(caught.value)
