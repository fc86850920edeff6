"""A corpus of broken frameworks: each mistake is found, at its line, with what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from dti.index.framework import lint_folder
from dti.settings import Settings

YAML, CSV = "framework.yml", "indicators.csv"

CORPUS = yaml.safe_load((Path(__file__).parent / "broken_frameworks.yml").read_text("utf-8"))


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    return Path(shutil.copytree(settings.include_dir / "frameworks" / "922-2022", tmp_path / "922-2022"))


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["mistake"])
def test_a_broken_framework_is_found_out(settings: Settings, folder: Path, case: dict[str, str]) -> None:
    file = folder / case["file"]
    text = file.read_text("utf-8")
    assert case["old"] in text, "the corpus no longer fits the framework"
    file.write_text(text.replace(case["old"], case["new"], 1), "utf-8")
    every = lint_folder(folder, settings=settings)
    found = [finding for finding in every if case["says"] in finding.what]
    assert found, every
    lines = [Path(finding.file).read_text("utf-8").splitlines()[finding.line - 1] for finding in found]
    assert any(case["at"] in line for line in lines), found
    assert all(finding.remedy and str(finding).startswith(str(folder)) for finding in found)


def test_all_mistakes_are_found_at_once_in_the_order_of_the_files(settings: Settings, folder: Path) -> None:
    rows = (folder / CSV).read_text("utf-8").replace(",directives_total,", ",,", 1).replace("1.2,NT,", "1.1,NT,", 1)
    (folder / CSV).write_text(rows, "utf-8")
    head = (folder / YAML).read_text("utf-8").replace("total_weight: 700", "total_weight: 1", 1)
    (folder / YAML).write_text(head, "utf-8")
    findings = lint_folder(folder, settings=settings)
    assert [(Path(finding.file).name, finding.what.split(":")[0]) for finding in findings] == [
        (YAML, "the weights of CHINH_QUYEN_SO add up to 700, declared are 1"),
        (CSV, "1.1"),
        (CSV, "1.3"),
    ]


def test_rows_that_cannot_be_read_are_all_named(settings: Settings, folder: Path) -> None:
    text = (folder / CSV).read_text("utf-8")
    text = text.replace("10,yes_no,portal", "10,yesno,portal", 1).replace("months_in_period,4", "months_in_period,x", 1)
    text = text.replace("Open data plan,5", "Open data plan, for all,5", 1)
    (folder / CSV).write_text(text, "utf-8")
    lines = [finding.line for finding in lint_folder(folder, settings=settings)]
    assert lines == [5, 6, 22]


def test_a_folder_without_indicators_is_told(settings: Settings, folder: Path) -> None:
    (folder / CSV).unlink()
    (finding,) = lint_folder(folder, settings=settings)
    assert finding.what == "no such file"


def test_a_file_in_another_encoding_is_told(settings: Settings, folder: Path) -> None:
    text = (folder / CSV).read_text("utf-8")
    (folder / CSV).write_bytes(text.encode("utf-16"))
    (finding,) = lint_folder(folder, settings=settings)
    assert finding.what == "not UTF-8"
