"""The frameworks that ship: sound, honest about what is known, and found out when broken."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml

from dti.errors import MethodError
from dti.gate.suite import load_suite
from dti.index.framework import framework_ids, lint_folder, load_framework, load_published
from dti.settings import Settings

CORPUS = yaml.safe_load((Path(__file__).parent / "broken_shelf.yml").read_text("utf-8"))
SHIPPED = ["1726-2020", "405-2025", "766-2022", "922-2022", "tay-ninh-commune-2025"]
PUBLISHED_ONLY = ["1726-2020", "405-2025"]


def test_these_frameworks_ship(settings: Settings) -> None:
    assert framework_ids(settings) == SHIPPED


@pytest.mark.parametrize("framework_id", SHIPPED)
def test_every_shipped_framework_is_sound(settings: Settings, framework_id: str) -> None:
    assert lint_folder(framework_id, settings=settings) == []


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["mistake"])
def test_a_broken_framework_is_found_out(settings: Settings, tmp_path: Path, case: dict[str, str]) -> None:
    shipped = settings.include_dir / "frameworks" / case["framework"]
    folder = Path(shutil.copytree(shipped, tmp_path / case["framework"]))
    file = folder / case["file"]
    text = file.read_text("utf-8")
    assert case["old"] in text, "the corpus no longer fits the framework"
    file.write_text(text.replace(case["old"], case["new"], 1), "utf-8")
    every = lint_folder(folder, settings=settings)
    found = [finding for finding in every if case["says"] in finding.what]
    assert found, every
    assert all(finding.remedy and str(finding).startswith(f"{folder}") for finding in found)
    if case["at"]:
        lines = [Path(finding.file).read_text("utf-8").splitlines()[finding.line - 1] for finding in found]
        assert any(case["at"] in line for line in lines), found


def test_a_better_reading_of_the_same_decision_may_share_its_years(settings: Settings, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(settings.include_dir / "frameworks" / "922-2022", tmp_path / "922-2022-official"))
    file = folder / "framework.yml"
    text = file.read_text("utf-8").replace("framework: 922-2022", "framework: 922-2022-official\nreplaces: 922-2022", 1)
    file.write_text(text, "utf-8")
    assert lint_folder(folder, settings=settings) == []


def test_neighbours_are_also_those_beside_the_folder(settings: Settings, tmp_path: Path) -> None:
    for name in ("2030-a", "2030-b"):
        folder = Path(shutil.copytree(settings.include_dir / "frameworks" / "922-2022", tmp_path / name))
        text = (folder / "framework.yml").read_text("utf-8")
        text = text.replace("framework: 922-2022", f"framework: {name}", 1).replace(
            "{from_year: 2021, to_year: 2023}", "{from_year: 2030, to_year: null}"
        )
        (folder / "framework.yml").write_text(text, "utf-8")
    (finding,) = lint_folder(tmp_path / "2030-a", settings=settings)
    assert finding.what == "in force for 2030 and after like 2030-b, of the same family and unit level"


@pytest.mark.parametrize("framework_id", PUBLISHED_ONLY)
def test_what_is_only_published_is_not_computed_and_says_why(settings: Settings, framework_id: str) -> None:
    with pytest.raises(MethodError) as refused:
        load_framework(framework_id, settings=settings)
    assert load_published(framework_id, settings=settings).why in refused.value.what
    assert refused.value.where.endswith(f"{framework_id}/framework.yml")


def test_a_framework_to_compute_with_is_not_a_published_one(settings: Settings) -> None:
    with pytest.raises(MethodError, match="is a framework to compute with"):
        load_published("922-2022", settings=settings)


def test_the_structure_of_2020_as_it_is_known(settings: Settings) -> None:
    framework = load_published("1726-2020", settings=settings)
    assert {p.code: (p.component_count, p.criteria_count, p.max_points) for p in framework.pillars} == {
        "CHINH_QUYEN_SO": (45, 133, None),
        "KINH_TE_SO": (36, 101, None),
        "XA_HOI_SO": (27, 72, None),
    }
    assert len(framework.main_indices) == 7
    weights = framework.composites["PDTI"].weights
    bac_ninh = {"CHINH_QUYEN_SO": "0.4449", "KINH_TE_SO": "0.3668", "XA_HOI_SO": "0.4052"}
    total = sum(weights[code] * int(value.replace(".", "")) for code, value in bac_ninh.items())
    assert round(total / 100) == 4096


def test_the_service_index_is_100_points_with_the_quoted_groups(settings: Settings) -> None:
    framework = load_framework("766-2022", settings=settings)
    groups = {pillar.code: int(pillar.max_points) for pillar in framework.pillars}
    assert groups == {"CKMB": 18, "TDGQ": 20, "DVCTT": 12, "TTTT": 10, "MDSH": 22, "MDHL": 18}
    quoted = {i.code: int(i.max_points) for i in framework.indicators if i.points_provenance == "quoted"}
    assert quoted == {"1.2": 4, "2.1": 20, "5.4": 6}
    full = {i.code: i.target for i in framework.indicators if i.target is not None}
    assert {code: f"{target}" for code, target in full.items()} == {
        "3.1": "0.8", "3.3": "0.5", "3.5": "0.8", "4.2": "0.8", "4.3": "0.8", "5.4": "0.9",
    }  # fmt: skip
    # What is not as the source has it, is said on the row itself.
    assert all(i.official_scoring for i in framework.indicators)
    assert all(i.attention for i in framework.indicators if i.rule != "target_ratio")


def test_the_commune_set_has_62_criteria_and_960_points(settings: Settings) -> None:
    framework = load_framework("tay-ninh-commune-2025", settings=settings)
    assert (len(framework.indicators), framework.max_points) == (62, 960)
    assert {i.rule for i in framework.indicators} == {"manual"}
    assert framework.basis_order == ("appraised", "declared")
    assert (framework.unit_level, framework.geography, framework.decided_on) == ("commune", "tay-ninh-2025", None)
    counts = Counter(i.pillar_code for i in framework.indicators)
    assert counts == {"HT": 7, "NL": 5, "AT": 6, "CQS": 32, "KTS": 4, "XHS": 8}


def test_stated_points_pass_the_gate_under_their_name_and_no_other(settings: Settings) -> None:
    (known,) = [e for e in load_suite("declarations", settings).expectations if e.rule == "metric_known"]
    names = set(known.kwargs["value_set"])
    for framework_id in ("766-2022", "tay-ninh-commune-2025"):
        stated = {
            i.numerator_metric for i in load_framework(framework_id, settings=settings).indicators if i.rule == "manual"
        }
        assert stated <= names
    assert "points.tay-ninh-commune-2025.9.9" not in names
    assert "complaints_total" in names
