"""dti framework import: an official table becomes a framework that computes, or is refused at its unclear row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dti.cli import app
from dti.errors import DtiError
from dti.index.annex.compare import compare
from dti.index.framework import lint_folder, load_framework
from dti.index.model import Framework
from dti.settings import Settings

Table = list[list[Any]]
Writer = Callable[..., Path]
COUNTED_BY_THE_MONTH = "1.5"
"""Broadcasts a month: no percentage, so its metrics do not go with the text "≥ 4"."""
ALONE = ("--from-year", "2022", "--unit-level", "province", "--family", "trial")
"""A framework of its own, that meets no other."""


def imported(out: Path, file: Path, *options: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(
        app, ["framework", "import", str(file), "--id", "moi", "--out", str(out), "--json", *options]
    )
    assert result.exit_code == code, result.output + result.stderr
    return dict(json.loads(result.stdout)) if code == 0 else {"refused": result.stderr}


@pytest.fixture
def out(tmp_path: Path, settings: Settings) -> Path:
    """Where frameworks are written; the settings fixture makes the checkout's own folder the one that is read."""
    return tmp_path / "frameworks"


def test_the_table_of_922_comes_back_as_922(
    workbook: Writer, table: Table, framework_922: Framework, out: Path, settings: Settings
) -> None:
    said = imported(out, workbook(table, total=1000), "--replaces", "922-2022")
    assert said["findings"] == []
    assert said["manual"] == [COUNTED_BY_THE_MONTH]
    (only,) = said["difference"]["indicators"]
    assert (only["change"], only["code"]) == ("rule", COUNTED_BY_THE_MONTH)
    assert not any(pillar["is_changed"] for pillar in said["difference"]["pillars"])
    new = load_framework(out / "moi", settings=settings)
    for one, other in zip(framework_922.indicators, new.indicators, strict=True):
        if one.code != COUNTED_BY_THE_MONTH:
            same = ("code", "pillar_code", "name_vi", "name_en", "max_points", "rule", "target", "steps", "feed")
            assert [getattr(other, name) for name in same] == [getattr(one, name) for name in same]
            assert (other.numerator_metric, other.denominator_metric) == (one.numerator_metric, one.denominator_metric)
        assert (other.name_provenance, other.points_provenance) == ("quoted", "quoted")
    assert [pillar.group_vi for pillar in new.pillars] == [pillar.group_vi for pillar in framework_922.pillars]
    assert {code: c.weights for code, c in new.composites.items()} == {
        code: c.weights for code, c in framework_922.composites.items()
    }
    assert {composite.provenance for composite in new.composites.values()} == {"inferred"}
    assert (new.decision, new.decided_on, new.replaces) == ("922/QĐ-BTTTT", framework_922.decided_on, "922-2022")
    assert new.in_force == framework_922.in_force


def test_lost_zeros_are_found_again_and_told(workbook: Writer, table: Table, out: Path) -> None:
    said = imported(out, workbook(table), "--replaces", "922-2022")
    repaired = [remark for remark in said["remarks"] if "by its place" in remark]
    assert len(repaired) == 7  # 1.10, 2.10, 4.10, 5.10, 7.10, 7.20, 8.10
    assert any("code 1.1 read as 1.10" in remark for remark in repaired)
    assert any("code 7.2 read as 7.20" in remark for remark in repaired)


def test_the_official_words_stay_with_each_indicator(csv_file: Writer, small: Table, out: Path) -> None:
    imported(out, csv_file(small), *ALONE)
    with (out / "moi" / "indicators.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file)}
    assert rows["1.1"]["official_scoring"] == "Có: điểm tối đa; Không: 0 điểm"
    assert rows["1.1"]["official_evidence"] == "Quyết định"
    assert rows["1.1"]["official_source"] == "Tỉnh"


def test_without_a_framework_to_replace_every_rule_is_left_to_a_person(
    csv_file: Writer, small: Table, out: Path, settings: Settings
) -> None:
    said = imported(out, csv_file(small), *ALONE, "--pillar-codes", "NT,TC")
    assert said["manual"] == ["1.1", "1.2", "2.1"]
    assert "no known metric" in said["attention"]["1.1"]
    assert said["difference"] is None
    new = load_framework(out / "moi", settings=settings)
    first = new.indicators[0]
    assert (first.rule, first.numerator_metric, first.feed) == ("manual", "points.moi.1.1", "declarations")
    assert [pillar.code for pillar in new.pillars] == ["NT", "TC"]
    assert {code: dict(c.weights) for code, c in new.composites.items()} == {"TOTAL": {"NT": 20, "TC": 5}}
    assert new.name_vi == "BỘ CHỈ SỐ ĐÁNH GIÁ CHUYỂN ĐỔI SỐ CẤP TỈNH"


def test_years_that_another_framework_has_are_told(
    csv_file: Writer, small: Table, out: Path, settings: Settings
) -> None:
    options = ("--from-year", "2023", "--to-year", "2023", "--unit-level", "province")
    CliRunner().invoke(
        app, ["framework", "import", str(csv_file(small)), "--id", "moi", "--out", str(out), "--json", *options]
    )
    (finding,) = lint_folder(out / "moi", settings=settings)
    assert finding.what == "in force for 2023 like 922-2022, of the same family and unit level"


def test_an_unclear_text_is_never_guessed(csv_file: Writer, table: Table, out: Path, settings: Settings) -> None:
    changed = {
        "1.3": "Điểm = a/b * Điểm tối đa. Trường hợp b = 0 thì được điểm tối đa",
        "1.4": "Theo hướng dẫn của Bộ",
        "1.6": "",
    }
    rows = [[*row[:3], changed.get(row[0], row[3]), *row[4:]] for row in table]
    said = imported(out, csv_file(rows), "--replaces", "922-2022")
    assert set(said["manual"]) == {COUNTED_BY_THE_MONTH, *changed}
    assert "condition" in said["attention"]["1.3"]
    assert "no form that is understood" in said["attention"]["1.4"]
    assert "no way of scoring" in said["attention"]["1.6"]
    assert load_framework(out / "moi", settings=settings).indicators[2].official_scoring == changed["1.3"]


def test_another_name_under_the_code_takes_no_metric_along(csv_file: Writer, table: Table, out: Path) -> None:
    rows = [[row[0], "Một chỉ số khác hẳn" if row[0] == "1.3" else row[1], *row[2:]] for row in table]
    said = imported(out, csv_file(rows), "--replaces", "922-2022")
    assert "1.3" in said["manual"]
    assert "no known metric" in said["attention"]["1.3"]
    assert {(c["change"], c["code"]) for c in said["difference"]["indicators"]} >= {("renamed", "1.3"), ("rule", "1.3")}


def test_a_rule_of_another_kind_takes_no_metric_along(csv_file: Writer, table: Table, out: Path) -> None:
    rows = [[*row[:3], "Có: điểm tối đa; Không: 0 điểm" if row[0] == "1.3" else row[3], *row[4:]] for row in table]
    said = imported(out, csv_file(rows), "--replaces", "922-2022")
    assert "reads as yes_no" in said["attention"]["1.3"]


def test_tone_marks_and_case_make_no_other_name(csv_file: Writer, table: Table, out: Path) -> None:
    rows = [[row[0], row[1].upper().replace("HÓA", "HOÁ"), *row[2:]] for row in table]
    said = imported(out, csv_file(rows), "--replaces", "922-2022")
    assert said["manual"] == [COUNTED_BY_THE_MONTH]


def test_the_difference_names_what_changed(csv_file: Writer, table: Table, out: Path) -> None:
    rows = [list(row) for row in table]
    by_code = {row[0]: row for row in rows}
    by_code["1.1"][2], by_code["1.2"][2] = 15, 5
    by_code["7.1"][3] = by_code["7.1"][3].replace("80%", "90%")
    rows.remove(by_code["9.8"])
    by_code["9.7"][2] = 35
    said = imported(out, csv_file(rows), "--replaces", "922-2022")
    found = {(c["change"], c["code"], c["before"], c["after"]) for c in said["difference"]["indicators"]}
    assert {("points", "1.1", "10", "15"), ("points", "1.2", "10", "5"), ("removed", "9.8", "20", "")} <= found
    assert ("points", "9.7", "15", "35") in found
    (society,) = [p for p in said["difference"]["pillars"] if p["is_changed"]]
    assert (society["pillar"], society["indicators_before"], society["indicators_after"]) == ("XHS", 8, 7)


def test_a_moved_indicator_is_no_removal(framework_922: Framework) -> None:
    head = framework_922.indicators[0]
    rest = tuple(i.model_copy(update={"code": f"1.{n}"}) for n, i in enumerate(framework_922.indicators[1:10], start=1))
    new = head.model_copy(update={"code": "1.10", "name_vi": "Chỉ số mới"})
    after = framework_922.model_copy(update={"indicators": (*rest, new, *framework_922.indicators[10:])})
    changes = compare(framework_922, after)
    assert [c.code for c in changes.of("moved")] == [f"1.{n}" for n in range(1, 10)]
    assert {(c.change, c.code) for c in changes.indicators} >= {("added", "1.10"), ("removed", "1.1")}


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-16-le", ";")]
)
def test_csv_of_any_encoding_and_delimiter(
    csv_file: Writer, small: Table, out: Path, encoding: str, delimiter: str, settings: Settings
) -> None:
    file = csv_file(small, encoding=encoding, delimiter=delimiter)
    imported(out, file, *ALONE)
    names = [indicator.name_vi for indicator in load_framework(out / "moi", settings=settings).indicators]
    assert names == ["Kế hoạch", "Chuyên mục", "Nghị quyết"]


def test_a_folder_is_never_overwritten_unasked(csv_file: Writer, small: Table, out: Path) -> None:
    options = ALONE
    imported(out, csv_file(small), *options)
    (out / "moi" / "note.txt").write_text("mine", "utf-8")
    assert "exists already" in imported(out, csv_file(small), *options, code=1)["refused"]
    assert (out / "moi" / "note.txt").exists()
    imported(out, csv_file(small), *options, "--force")
    assert sorted(path.name for path in (out / "moi").iterdir()) == ["framework.yml", "indicators.csv"]
    assert [path.name for path in out.iterdir()] == ["moi"]


def test_nothing_is_written_when_the_table_is_refused(csv_file: Writer, small: Table, out: Path) -> None:
    small[1][2] = "mười"
    refused = imported(out, csv_file(small), *ALONE, code=1)["refused"]
    assert "row 6" in refused
    assert "'mười' is no number of points" in refused
    assert not out.exists()


def test_what_nobody_said_is_asked_for(csv_file: Writer, small: Table, out: Path) -> None:
    refused = imported(out, csv_file(small), code=1)["refused"]
    assert "neither the file nor the options say --from-year, --unit-level" in refused


def test_another_decision_does_not_take_the_years_along(csv_file: Writer, table: Table, out: Path) -> None:
    refused = imported(out, csv_file(table), "--replaces", "922-2022", "--decision", "1/QĐ-BKHCN", code=1)["refused"]
    assert "--from-year" in refused


def test_the_total_of_the_table_is_held_against_its_rows(csv_file: Writer, small: Table, out: Path) -> None:
    result = CliRunner().invoke(
        app,
        ["framework", "import", str(csv_file([*small, ["", "Tổng cộng", "30", "", "", ""]])), "--id", "moi",
         "--out", str(out), *ALONE],
    )  # fmt: skip
    assert result.exit_code == 1
    assert "the pillars add up to 25 points, the decision to 30" in result.stdout


def test_the_table_for_people_shows_change_and_lint(csv_file: Writer, table: Table, out: Path) -> None:
    result = CliRunner().invoke(
        app,
        ["framework", "import", str(csv_file(table)), "--id", "moi", "--out", str(out), "--replaces", "922-2022"],
    )
    assert result.exit_code == 0, result.stdout
    assert "98 indicators, 1 of them by stated points" in result.stdout
    assert "nothing to mend" in result.stdout
    diff = CliRunner().invoke(app, ["framework", "diff", "922-2022", str(out / "moi")])
    assert diff.exit_code == 0
    assert "manual: stated points" in diff.stdout


def test_a_framework_to_compute_with_is_wanted_for_a_difference(settings: Settings) -> None:
    result = CliRunner().invoke(app, ["framework", "diff", "922-2022", "405-2025"])
    assert result.exit_code == 1
    assert "published results only" in result.stderr


def test_no_file_and_no_table_are_told(out: Path, tmp_path: Path, settings: Settings) -> None:
    from dti.index.annex.pages import read_pages
    from dti.index.annex.table import read_annex

    with pytest.raises(DtiError, match="no such file"):
        read_pages(tmp_path / "none.xlsx")
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(DtiError, match="no row of an official table found"):
        read_annex(read_pages(other), other.name)
