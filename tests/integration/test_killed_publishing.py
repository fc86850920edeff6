"""Publishing that is killed at any of its steps, or loses its server: the old publication or the new one, whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from dti.annual.bundle import verify
from dti.settings import Settings
from dti.warehouse.query import run_select
from tests.builders.publishing import VALUES, own_warehouse
from tests.conftest import PROJECT
from tests.integration.killed_publishing import BROKE_OFF

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SQL_FILES = len(list((PROJECT / "include" / "sql" / "publication").glob("*.sql")))
UNTIL_COMMIT = (
    "before:dti.annual.publish.approve",
    "after:dti.annual.publish.approve",
    "after:dti.annual.publish.lay_reference",
    *(f"after:dti.annual.publish._copy#{number}" for number in range(1, SQL_FILES + 1)),
    "after:dti.annual.publish.publication_csv",
    "after:dti.annual.publish._insert_head",
    "after:dti.annual.publish.move",
    "after:dti.annual.publish._publish",
)
AFTER_COMMIT = (
    "before:dti.annual.publish.write_bundle",
    "before:dti.annual.bundle._write",
    "before:os.fsync",
    "after:dti.annual.bundle._write#1",
    "before:os.fsync#9",
    "after:dti.annual.bundle._write#19",
    "before:dti.annual.bundle._into_place",
    "before:os.fsync#22",
    "before:dti.annual.bundle._sync#4",
    "after:dti.annual.publish.write_bundle",
)
ROWS = {
    "unit": 34, "pillar_index": 68, "composite_index": 34, "indicator_score": 68, "metric_value": len(VALUES),
    "correction": 1, "check_result": 1, "publication": 1,
}  # fmt: skip
NOTHING = dict.fromkeys(ROWS, 0)


@pytest.fixture(scope="module")
def own() -> Iterator[Settings]:
    with own_warehouse() as settings:
        yield settings


def run(settings: Settings, how: str, year: int, *moments: str) -> list[dict[str, Any]]:
    """One candidate a moment: what stood after it broke off there, and after a retry."""
    command = [sys.executable, "-m", "tests.integration.killed_publishing", how, str(year), *moments]
    environment = {**os.environ, "DTI_HOME": str(settings.home_dir), "DTI_PROJECT": str(PROJECT)}
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-4000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["moment"] for each in told] == list(moments)
    return told


def judge(told: dict[str, Any], number: int, *, committed: bool) -> None:
    """Before the retry the old publications stand alone, or the new one is whole; after it, it is whole and once."""
    broken, whole = told["broken"], told["whole"]
    assert broken["rows"] == (ROWS if committed else NOTHING), told
    assert broken["newest"] == (number if committed else number - 1), told
    assert (broken["status"], broken["decided"]) == (("published", True) if committed else ("waiting", False)), told
    has_bundle = committed and broken["faults"] == []
    assert broken["bundles"] == (number if has_bundle else number - 1), told
    assert all("there is no bundle" in fault for fault in broken["faults"]), told
    assert told["retried"] == 0, told
    assert (whole["rows"], whole["newest"], whole["status"]) == (ROWS, number, "published"), told
    assert (whole["faults"], whole["drafts"], whole["bundles"]) == ([], 0, number), told


def test_a_kill_at_any_step_leaves_the_old_publication_or_the_new_one(own: Settings) -> None:
    told = run(own, "kill", 2026, *UNTIL_COMMIT, *AFTER_COMMIT)
    for number, each in enumerate(told, start=1):
        assert each["ended"] == -signal.SIGKILL, each
        judge(each, number, committed=number > len(UNTIL_COMMIT))
    versions = run_select(
        "select version, publication_id from published_version where year = 2026 order by version", own
    )[1]
    found = list(versions)
    assert [version for version, _ in found] == list(range(1, len(told) + 1))
    for _, publication_id in found[:3]:
        assert verify(publication_id, settings=own) == []


def test_a_server_that_goes_away_at_any_step_does_no_harm_either(own: Settings) -> None:
    before, after = (UNTIL_COMMIT[0], UNTIL_COMMIT[6], UNTIL_COMMIT[-3], UNTIL_COMMIT[-1]), AFTER_COMMIT[:1]
    told = run(own, "restart", 2027, *before, *after)
    for number, each in enumerate(told, start=1):
        committed = number > len(before)
        assert each["ended"] == (0 if committed else BROKE_OFF), each
        judge(each, number, committed=committed)
