"""Files that people of ours write: sources, contracts, suites, calendars, frameworks, corrections."""

from __future__ import annotations

import csv
import io
import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st

from dti.annual.calendar import load_calendar
from dti.annual.limits import load_limits
from dti.documents import load_yaml
from dti.feeds import load_contract
from dti.gate.suite import read_suite
from dti.index.corrections import lint_corrections, load_corrections
from dti.index.framework import lint_folder, load_framework
from dti.settings import Settings
from dti.sources.check import check_file
from dti.sources.spec import parse_source
from tests.conftest import PROJECT
from tests.unit.hostile.junk import SCALARS, broken, scratched
from tests.unit.hostile.profiles import fuzz, told

INCLUDE = PROJECT / "include"
CORRECTION = {
    "id": "dak-lak-2026-1", "unit": "Đắk Lắk", "metric": "staff_total", "from": "2026-01-01", "to": "2026-03-31",
    "action": "override", "value": 1346, "guard": {"value": 1200, "from": "2026-01-01", "to": "2026-03-31"},
    "reason": "Sở Nội vụ counted twice", "document": "155/UBND",
}  # fmt: skip
_numbers = itertools.count()


def read_all(folder: str, pattern: str = "*.yml") -> list[Any]:
    """Every file of that kind that ships, as a document."""
    return [yaml.safe_load(path.read_text("utf-8")) for path in sorted((PROJECT / folder).rglob(pattern))]


def written(document: Any) -> str:
    """YAML as a person's program would write it; a lone surrogate stands in no file."""
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    return text.encode("utf-8", "replace").decode()


def texts_of(folder: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((PROJECT / folder).rglob("*.yml"))]


@pytest.fixture
def elsewhere(tmp_path: Path, settings: Settings) -> Settings:
    """A project of its own, whose reference data and frameworks are the ones that ship."""
    include = tmp_path / "project" / "include"
    for folder in ("annual", "corrections"):
        (include / folder).mkdir(parents=True)
    for folder in ("reference", "frameworks", "feeds"):
        (include / folder).symlink_to(INCLUDE / folder)
    return settings.model_copy(update={"project": tmp_path / "project"})


@fuzz(40, 1200, document=broken(read_all("include/sources"), SCALARS | st.lists(SCALARS, max_size=3)))
def test_a_source_file(document: Any, settings: Settings, tmp_path: Path) -> None:
    told(lambda: parse_source(written(document), "here.yml", {}), "here.yml")
    path = tmp_path / "here.yml"
    path.write_text(written(document), "utf-8")
    assert all(finding.message and finding.remedy and str(path) in str(finding) for finding in check_file(path))


@fuzz(20, 500, content=scratched(texts_of("include/sources")))
def test_a_source_file_that_was_damaged(content: bytes, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "here.yml"
    path.write_bytes(content)
    assert all(finding.message and finding.remedy and str(path) in str(finding) for finding in check_file(path))
    told(lambda: parse_source(content.decode("utf-8", "replace"), "here.yml", {}), "here.yml")


@fuzz(30, 700, document=broken(read_all("include/feeds")))
def test_a_contract(document: Any, tmp_path: Path) -> None:
    path = tmp_path / f"feed{next(_numbers)}.yml"
    path.write_text(written(document), "utf-8")
    told(lambda: load_contract.__wrapped__(path.stem, tmp_path), str(path))


@fuzz(15, 400, document=broken(read_all("expectations", "[a-z]*.yml")))
def test_a_suite(document: Any, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / str(next(_numbers))
    folder.mkdir()
    path = folder / "staffing.yml"
    path.write_text(written(document), "utf-8")
    told(lambda: read_suite(path, settings.include_dir), str(path))


@fuzz(15, 400, document=broken([load_yaml((INCLUDE / "annual" / "calendar.yml").read_text("utf-8"))]))
def test_the_calendar(document: Any, elsewhere: Settings) -> None:
    path = elsewhere.include_dir / "annual" / "calendar.yml"
    path.write_text(written(document), "utf-8")
    told(lambda: load_calendar(elsewhere), str(path))


@fuzz(15, 300, document=broken([load_yaml((INCLUDE / "annual" / "checks.yml").read_text("utf-8"))]))
def test_the_limits_of_the_checks(document: Any, elsewhere: Settings) -> None:
    path = elsewhere.include_dir / "annual" / "checks.yml"
    path.write_text(written(document), "utf-8")
    told(lambda: load_limits(elsewhere), str(path))


@fuzz(20, 500, entries=st.lists(broken([CORRECTION, {**CORRECTION, "id": "other"}]), min_size=1, max_size=3))
def test_corrections(entries: list[Any], elsewhere: Settings) -> None:
    path = elsewhere.include_dir / "corrections" / "2026.yml"
    path.write_text(written({"corrections": entries}), "utf-8")
    findings = lint_corrections(elsewhere)
    assert all(finding.file == str(path) and finding.line >= 1 and finding.remedy for finding in findings)
    loaded = told(lambda: load_corrections(elsewhere), str(path))
    assert (loaded is None) == bool(findings)


@fuzz(8, 250, head=broken([load_yaml((INCLUDE / "frameworks" / "922-2022" / "framework.yml").read_text("utf-8"))]))
def test_a_framework(head: Any, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "922-2022"
    folder.mkdir(exist_ok=True)
    (folder / "framework.yml").write_text(written(head), "utf-8")
    (folder / "indicators.csv").write_bytes((INCLUDE / "frameworks" / "922-2022" / "indicators.csv").read_bytes())
    assert all(
        finding.file.startswith(str(folder)) and finding.remedy for finding in lint_folder(folder, settings=settings)
    )
    told(lambda: load_framework(folder, settings=settings), str(folder))


@fuzz(8, 250, data=st.data())
def test_the_indicators_of_a_framework(data: st.DataObject, settings: Settings, tmp_path: Path) -> None:
    source = INCLUDE / "frameworks" / "922-2022"
    rows = list(csv.reader(io.StringIO((source / "indicators.csv").read_text("utf-8-sig"), newline="")))
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[row]) - 1))
    rows[row][column] = str(data.draw(SCALARS))
    folder = tmp_path / "922-2022"
    folder.mkdir(exist_ok=True)
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    (folder / "framework.yml").write_bytes((source / "framework.yml").read_bytes())
    (folder / "indicators.csv").write_bytes(text.getvalue().encode("utf-8", "replace"))
    assert all(finding.remedy for finding in lint_folder(folder, settings=settings))
    told(lambda: load_framework(folder, settings=settings), str(folder))


@fuzz(40, 1000, content=scratched([*texts_of("include/feeds"), *texts_of("expectations")]))
def test_yaml_itself(content: bytes) -> None:
    try:
        load_yaml(content.decode("utf-8", "replace"))
    except yaml.YAMLError as fault:
        str(fault).encode()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "a: &a [*a]",
        "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]),
        "a: 2026-02-30",
        "a: " + "9" * 5_000,
        "!!python/object/apply:os.system ['id']",
        "a: !!timestamp x",
    ],
)
def test_yaml_that_would_take_the_machine_down_or_act_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)


@pytest.mark.parametrize(
    "feed", ["../feeds/staffing", "/etc/passwd", "staffing\x00", "a/b", "..", "", "STAFFING", "con\n"]
)
def test_a_feed_is_a_name_and_no_path(feed: str, settings: Settings) -> None:
    assert told(lambda: load_contract(feed), "feed") is None
