"""``dti annual`` as a person types it and as a program reads it."""

from __future__ import annotations

import getpass
import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from dti import flow
from dti.annual.checks import write_checks
from dti.annual.model import CheckResult, RequestError
from dti.cli import app
from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse.connect import engine

runner = CliRunner()
ASK = ["annual", "--year", "2026", "--framework", "922-2022", "--reason", "June was restated"]
CHECKS = [
    CheckResult(check_name="units_present", status="passed", message="34 of 34 units"),
    CheckResult(check_name="coverage_kept", status="failed", message="2 units fell", detail=[{"unit_id": "P34-66"}]),
]


def a_request(settings: Settings, key: str = "by-hand", year: int = 2026, status: str = "waiting") -> str:
    """A request as it stands in the database, its candidate computed; its id."""
    with engine(settings, "owner").begin() as connection:
        number = connection.execute(
            text("select count(*) + 1 from annual.request where year = :year"), {"year": year}
        ).scalar_one()
        connection.execute(
            text(
                "insert into annual.request (request_id, request_key, year, framework_id, framework_hash, family,"
                " geography, merge_method, as_of_date, data_cut_off, reference_hash, reason, requester, door, status)"
                " values (:id, :key, :year, '922-2022', 'abcdef123456', 'dti', '34', 'none', '2026-11-23',"
                " '2026-11-24T00:00+07:00', 'hash', 'June was restated', 'An [bold]', 'command', :status)"
            ),
            {"id": f"{year}-r{number}", "key": key, "year": year, "status": status},
        )
        write_checks(connection, f"{year}-r{number}", CHECKS)
    return f"{year}-r{number}"


def status(settings: Settings, request_id: str) -> tuple[str, str]:
    with engine(settings, "loader").connect() as connection:
        query = text("select status, status_reason from annual.request where request_id = :id")
        return tuple(connection.execute(query, {"id": request_id}).one())


@pytest.fixture
def steps(warehouse, monkeypatch):
    """The steps of a recomputation that need data, replaced; the list of calls, and how a step is made to fail."""

    calls: list[tuple] = []
    faults: dict[str, Exception] = {}

    def opened(*, settings, **asked):
        calls.append(("open", asked))
        if "open" in faults:
            raise faults["open"]
        with engine(settings, "loader").connect() as connection:
            query = text("select request_id, status from annual.request where request_key = :key")
            known = connection.execute(query, {"key": asked["key"]}).mappings().one_or_none()
        return dict(known) if known else {"request_id": a_request(settings, asked["key"]), "status": "requested"}

    def step(name):
        def call(request_id, *, settings):
            calls.append((name, request_id))
            if name in faults:
                raise faults[name]
            return {}

        return call

    monkeypatch.setattr(flow, "annual_open", opened)
    monkeypatch.setattr(flow, "annual_compute", step("compute"))
    monkeypatch.setattr(flow, "annual_review", step("review"))
    return calls, faults


def test_it_is_asked_computed_and_reviewed_and_the_way_on_is_told(warehouse, steps):
    calls, _ = steps
    done = runner.invoke(app, ASK)
    assert done.exit_code == 0, done.output
    assert [call[0] for call in calls] == ["open", "compute", "review"]
    asked = calls[0][1]
    assert (asked["door"], asked["requester"], asked["framework_id"]) == ("command", getpass.getuser(), "922-2022")
    assert "2026-r1" in done.output
    assert "coverage_kept" in done.output
    assert "2 units fell" in done.output
    assert "An [bold]" in done.output
    assert "uv run dti annual approve 2026-r1 --by NAME --note WHY" in done.output


def test_the_same_words_go_on_with_the_same_request_until_it_has_ended(warehouse, steps):
    calls, _ = steps
    runner.invoke(app, ASK)
    runner.invoke(app, ASK)
    runner.invoke(app, [*ASK, "--accept", "synthetic"])
    keys = [call[1]["key"] for call in calls if call[0] == "open"]
    assert keys[0] == keys[1]
    assert keys[2] != keys[0]
    assert [call[0] for call in calls[:4]] == ["open", "compute", "review", "open"], "what waits is not computed again"
    flow.annual_end("2026-r1", "withdrawn", "", settings=warehouse)
    runner.invoke(app, ASK)
    assert calls[-3][1]["key"] not in keys


def test_a_refusal_is_told_with_its_remedy_and_nothing_runs(warehouse, steps):
    calls, faults = steps
    faults["open"] = RequestError("no framework is in force", where="year 2025", remedy="name one")
    done = runner.invoke(app, ASK)
    assert done.exit_code == 1
    assert "request year 2025: no framework is in force — name one" in done.output
    assert [call[0] for call in calls] == ["open"]
    assert "Traceback" not in done.output


def test_a_step_that_fails_frees_the_year_and_says_why(warehouse, steps):
    calls, faults = steps
    faults["compute"] = WarehouseError("disk full", where="postgres", remedy="make room")
    done = runner.invoke(app, ASK)
    assert done.exit_code == 1
    assert "warehouse postgres: disk full — make room" in done.output
    assert [call[0] for call in calls] == ["open", "compute"]
    assert status(warehouse, "2026-r1") == ("failed", "postgres: disk full — make room")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--reason", "why"], "no year is given"),
        (["--year", "2026", "--reason", "why", "--merge", "guess"], "none, average or recomputed"),
        (["--year", "soon"], "--year"),
    ],
)
def test_what_is_no_question_is_refused_before_anything_starts(settings, asked, said):
    done = runner.invoke(app, ["annual", *asked])
    assert done.exit_code != 0
    assert said in done.output
    assert list(settings.home_dir.iterdir()) == []


def test_a_program_reads_json_and_people_read_the_error_stream(warehouse, steps):
    told = json.loads(runner.invoke(app, [*ASK, "--json"]).stdout)
    assert told["request"]["request_id"] == "2026-r1"
    assert [(check["check_name"], check["status"]) for check in told["checks"]] == [
        ("units_present", "passed"),
        ("coverage_kept", "failed"),
    ]
    assert (told["report"], told["rank_changes"]) == (None, [])


def test_all_requests_are_listed_and_one_is_shown(warehouse):
    a_request(warehouse, "one", 2025, "rejected")
    a_request(warehouse, "two", 2026)
    listed = runner.invoke(app, ["annual", "list"]).output
    assert listed.index("2026-r1") < listed.index("2025-r1")
    assert "rejected" in listed
    assert [row["request_id"] for row in json.loads(runner.invoke(app, ["annual", "list", "--json"]).stdout)] == [
        "2026-r1",
        "2025-r1",
    ]
    assert "2026" not in runner.invoke(app, ["annual", "list", "--year", "2025"]).output.replace("2026-1", "")
    shown = runner.invoke(app, ["annual", "show", "2025-r1"]).output
    assert "Nothing was published" in shown
    missing = runner.invoke(app, ["annual", "show", "2025-r9"])
    assert (missing.exit_code, "no such request" in missing.output) == (1, True)


def test_an_open_request_is_withdrawn_and_an_ended_one_is_not(warehouse):
    a_request(warehouse)
    a_request(warehouse, "ended", 2025, "rejected")
    done = runner.invoke(app, ["annual", "withdraw", "2026-r1", "--reason", "asked by mistake"])
    assert (done.exit_code, status(warehouse, "2026-r1")) == (0, ("withdrawn", "asked by mistake"))
    assert runner.invoke(app, ["annual", "withdraw", "2026-r1"]).exit_code == 0
    ended = runner.invoke(app, ["annual", "withdraw", "2025-r1"])
    assert (ended.exit_code, "it is rejected already" in ended.output) == (1, True)


def test_a_rejection_needs_a_name_and_a_note_and_frees_the_year(warehouse):
    a_request(warehouse)
    assert runner.invoke(app, ["annual", "reject", "2026-r1", "--by", "Bình"]).exit_code == 2
    nobody = runner.invoke(app, ["annual", "reject", "2026-r1", "--by", " ", "--note", "why"])
    assert "nobody decides" in nobody.output
    done = runner.invoke(app, ["annual", "reject", "2026-r1", "--by", "Bình", "--note", "coverage too low"])
    assert done.exit_code == 0, done.output
    assert status(warehouse, "2026-r1")[0] == "rejected"


def test_an_approval_needs_a_name_and_a_candidate(warehouse):
    a_request(warehouse)
    assert runner.invoke(app, ["annual", "approve", "2026-r1"]).exit_code == 2
    done = runner.invoke(app, ["annual", "approve", "2026-r1", "--by", "Bình"])
    assert done.exit_code == 1
    assert "its candidate is not there" in done.output
    assert status(warehouse, "2026-r1")[0] == "waiting"


def test_who_approves_what_is_published_already_is_told_by_whom(settings, monkeypatch):
    published = {"publication_id": "2026.dti.34.v1", "version": 1, "approver": "Lê [An]", "approved_at": "2027-08-02T…"}
    monkeypatch.setattr("dti.flow.annual_publish", lambda *_, **__: published)
    asked = ["annual", "approve", "2026-r1", "--by"]
    told = runner.invoke(app, [*asked, "Bình"]).output
    assert "it was approved before, by Lê [An] on 2027-08-02, not by Bình" in told
    assert "approved before" not in runner.invoke(app, [*asked, "Lê [An]"]).output


def test_what_a_run_of_airflow_waits_for_is_to_be_answered_there(warehouse):
    a_request(warehouse)
    with engine(warehouse, "owner").begin() as connection:
        connection.execute(text("update annual.request set door = 'form'"))
    shown = runner.invoke(app, ["annual", "show", "2026-r1"]).output
    assert "in Airflow, under Required Actions" in shown
    assert "annual approve" not in shown


def test_a_publication_that_is_none_is_said(warehouse):
    for command in ("bundle", "verify"):
        done = runner.invoke(app, ["annual", command, "2026.dti.34.v1"])
        assert done.exit_code == 1
        assert "no such publication" in done.output


def test_the_calendar_marks_our_own_dates(settings):
    done = runner.invoke(app, ["annual", "calendar"])
    assert done.exit_code == 0, done.output
    assert "2025-10-21 " in done.output
    assert "2027-08-02*" in done.output
    assert "our own choice, not official" in done.output
    told = json.loads(runner.invoke(app, ["annual", "calendar", "--json"]).stdout)
    assert (told["asks_for"], told["findings"]) == ([2026], [])


def test_a_calendar_that_frameworks_do_not_bear_out_fails(settings, monkeypatch, tmp_path):
    include = tmp_path / "project" / "include"
    (include / "annual").mkdir(parents=True)
    for name in ("frameworks", "reference"):
        (include / name).symlink_to(settings.include_dir / name)
    text = (settings.include_dir / "annual" / "calendar.yml").read_text("utf-8")
    (include / "annual" / "calendar.yml").write_text(text.replace("framework: 922-2022", "framework: gone"), "utf-8")
    from dti.settings import get_settings

    monkeypatch.setenv("DTI_PROJECT", str(include.parent))
    get_settings.cache_clear()
    done = runner.invoke(app, ["annual", "calendar"])
    assert done.exit_code == 1
    assert "no framework gone" in done.output
