"""Corrections as a person meets them: lint, check, and the warnings of a run, of a night and of the status."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from dti.cli import app
from dti.index.correct_summary import summary_of
from dti.index.run import compute
from dti.settings import Settings, get_settings
from dti.warehouse.connect import engine
from dti.warehouse.query import run_select

runner = CliRunner()
NIGHT = date(2026, 3, 31)
METRIC = """
  - id: doubled
    unit: P34-66
    metric: data_centre_up_seconds
    from: 2026-03-01
    to: 2026-03-01
    action: scale
    factor: 0.5
    guard: {value: 80}
    reason: counted twice
    document: 1/BB
"""
INDICATOR = """
  - id: by-hand
    unit: UNIT
    framework: 922-2022
    indicator: '3.1'
    year: YEAR
    action: override
    value: 1
    guard: {value: missing}
    reason: seen on site
    document: 2/BB
"""


@pytest.fixture
def write(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Settings]:
    """Write the corrections of a project of the test's own, which the environment names too."""
    project = tmp_path / "project"
    shutil.copytree(warehouse.include_dir, project / "include", ignore=shutil.ignore_patterns("sandbox"))
    for name in ("migrations", "expectations"):
        (project / name).symlink_to(warehouse.project / name)
    monkeypatch.setenv("DTI_PROJECT", str(project))

    def corrections(entries: str) -> Settings:
        (project / "include" / "corrections" / "a.yml").write_text(f"corrections:{entries}", "utf-8")
        get_settings.cache_clear()
        return get_settings()

    return corrections


def report(settings: Settings, seconds: int) -> None:
    with engine(settings, "loader").begin() as connection:
        connection.execute(
            text(
                "insert into facts.data_centre (partition_key, day, unit_id, source_id, data_centre_id,"
                " data_centre_up_seconds, data_centre_expected_seconds)"
                " values ('2026', '2026-03-01', 'P34-66', 's1', 'one', :seconds, 100)"
                " on conflict (partition_key, day, unit_id, source_id, data_centre_id)"
                " do update set data_centre_up_seconds = excluded.data_centre_up_seconds"
            ),
            {"seconds": seconds},
        )


def said(*command: str) -> tuple[int, str]:
    done = runner.invoke(app, list(command))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, " ".join(done.output.split())


def test_lint_names_file_entry_and_remedy(write: Callable[[str], Settings]) -> None:
    write(METRIC)
    assert said("correction", "lint") == (0, "✓ 1 corrections in 1 files: nothing to mend")
    write(METRIC.replace("data_centre_up_seconds", "data_centre_up_second"))
    code, output = said("correction", "lint")
    assert code == 1
    assert "a.yml:2: correction doubled: unknown metric data_centre_up_second — correct the name" in output


def test_a_run_does_not_start_with_a_broken_correction(write: Callable[[str], Settings]) -> None:
    write(METRIC.replace("guard: {value: 80}", "guard: {}"))
    code, output = said("compute", "--date", "2026-03-31")
    assert code == 1
    assert "correction doubled: guard.value: Field required" in output
    assert "Traceback" not in output


def test_a_correction_lives_until_its_source_is_repaired(write: Callable[[str], Settings]) -> None:
    settings = write(METRIC)
    assert "no run yet" in said("correction", "check")[1]
    report(settings, 80)
    run = compute(NIGHT, "922-2022", settings=settings)
    assert summary_of(settings, run.run_id) == {"applied": 1, "flagged": 0, "not_applicable": 0, "expired": []}
    code, output = said("correction", "check")
    assert (code, "applied" in output, "80 times 0.5" in output) == (0, True, True)
    assert "expired" not in said("status")[1]

    report(settings, 40)
    compute(NIGHT, "922-2022", settings=settings)
    (expired,) = summary_of(settings, run.run_id)["expired"]
    assert expired["correction_id"] == "doubled"
    assert expired["detail"].startswith("the source now holds 40, the guard says 80: not applied")
    for command in (["status"], ["compute", "--date", "2026-03-31"]):
        code, output = said(*command)
        assert code == (3 if command == ["status"] else 0)  # it needs a person
        assert "! correction doubled expired: Đắk Lắk (P34-66) data_centre_up_seconds" in output
    code, output = said("correction", "check", "--json")
    assert code == 1
    (told,) = json.loads(output)
    assert (told["id"], told["status"], told["run_id"], told["held_value"]) == ("doubled", "expired", run.run_id, "40")

    settings = write(METRIC.replace("{value: 80}", "{value: 40}"))
    code, output = said("correction", "check")
    assert (code, "changed since run" in output) == (0, True)
    compute(NIGHT, "922-2022", settings=settings)
    assert said("correction", "check")[0] == 0

    settings = write(" []")
    compute(NIGHT, "922-2022", settings=settings)
    assert list(run_select("select * from correction where run_id like 'night%%'", settings)[1]) == []
    value = "select value, original_value, correction_id from metric_value where metric = 'data_centre_up_seconds'"
    assert [tuple(row) for row in run_select(f"{value} and run_id = '{run.run_id}'", settings)[1]] == [(40, None, None)]


def test_averaged_provinces_are_corrected_where_they_were_scored(write: Callable[[str], Settings]) -> None:
    merged = INDICATOR.replace("UNIT", "P34-66").replace("YEAR", "2024")
    former = merged.replace("by-hand", "former").replace("P34-66", "P63-66")
    settings = write(merged + former)
    run = compute(date(2024, 12, 31), "922-2022", geography="34", merge_method="average", settings=settings)
    summary = summary_of(settings, run.run_id)
    assert (summary["applied"], summary["not_applicable"], summary["expired"]) == (1, 1, [])
    told = dict(run_select("select correction_id, status from correction", settings)[1])
    assert told == {"by-hand": "not_applicable", "former": "applied"}
    (row,) = run_select(
        "select s.points / s.max_points, s.coverage, s.corrections_behind from indicator_score as s"
        f" where s.run_id = '{run.run_id}' and s.unit_id = 'P34-66' and s.indicator_code = '3.1'",
        settings,
    )[1]
    assert (row[0], row[1], row[2]) == (0.5, 0.5, ["former"]), "one of two former provinces is known"


def test_an_indicator_of_another_year_or_framework_is_left_alone(write: Callable[[str], Settings]) -> None:
    settings = write(INDICATOR.replace("UNIT", "P34-66").replace("YEAR", "2025"))
    compute(NIGHT, "922-2022", settings=settings)
    assert list(run_select("select * from correction", settings)[1]) == []
