"""Rows that a person vouches for: loaded once, never over a newer state, and never as if they had been known before."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dti import clock, flow, lake
from dti.annual.ledger import batches_known, write_held_rows
from dti.annual.rebuild import rebuild
from dti.gate.units import load_units
from dti.index.standing import Known
from dti.landing import ledger
from dti.landing.ranges import numbers_of, ranges_of
from dti.landing.release import ReleaseError
from dti.quarantine import release_rows
from dti.settings import Settings
from dti.warehouse import connect
from tests.builders.dropping import DOSSIERS, TEAMS, asked, dossier, night, team

FIRST, SECOND = date(2026, 6, 29), date(2026, 6, 30)
TOO_MANY = "villages_with_team_within_total"
VOUCHED: dict[str, Any] = {"by": "Trần Thị Bình", "reason": "The commune has confirmed it by letter 12/CV"}


def in_lake(settings: Settings, feed: str, files: list[str] | None = None) -> list[dict[str, Any]]:
    """The feed's rows in the lake, or in these files."""
    if files is None:
        files = lake.files(feed, lake.changed_partitions(feed, None, settings=settings), settings=settings)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        found = db.read_parquet(files, hive_partitioning=True, union_by_name=True).order("ALL").to_arrow_table()
    return sorted((dict(sorted(row.items())) for row in found.to_pylist()), key=str)


def as_known(settings: Settings, feed: str, landed_by: datetime, folder: Path) -> list[dict[str, Any]]:
    """The feed's rows as they were known at a moment, rebuilt from the ledger."""
    folder.mkdir()
    with connect.engine(settings, "loader").connect() as connection:
        batches = batches_known(connection, feed, Known(landed_by=landed_by))
        write_held_rows(connection.connection.driver_connection, batches, folder / "held.csv")
    units = dict.fromkeys({batch.units_hash for batch in batches}, load_units(settings))
    files = rebuild(feed, batches, folder / "held.csv", units, folder / "lake", settings=settings)
    return in_lake(settings, feed, files)


def with_team(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["commune_code"]: row["villages_with_team"] for row in rows}


def status_of(settings: Settings, batch: str) -> dict[int, str]:
    return dict(asked(settings, "SELECT row_number, status FROM marts.quarantine WHERE batch_id = %s", batch))


def test_a_released_row_is_loaded_once_and_was_not_known_before(agencies: Settings, tmp_path: Path) -> None:
    settings = agencies
    batch = night(settings, TEAMS, FIRST, [team(n, villages_with_team=12 if n == 3 else 5) for n in range(10)])
    assert status_of(settings, batch) == {3: "held"}
    assert "24003" not in with_team(in_lake(settings, "community_teams"))
    accounts = "SELECT rows_landed, rows_loaded, rows_quarantined FROM ops.batch WHERE batch_id = %s"
    before, facts = asked(settings, accounts, batch), "SELECT sum(villages_with_team)::int FROM facts.community_teams"
    assert asked(settings, facts) == [(45,)]
    cut = clock.now()

    # A process that is killed once the release has landed: the same command takes it up.
    landed = release_rows(batch, rows=None, rules=[TOO_MANY], settings=settings, **VOUCHED)
    assert asked(settings, "SELECT count(*) FROM ops.batch") == [(1,)]
    done = flow.release(batch, rules=[TOO_MANY], settings=settings, **VOUCHED)
    assert (done["batch_id"], done["rows_loaded"], done["rows_quarantined"]) == (landed.batch_id, 1, 0)

    assert asked(settings, facts) == [(57,)]
    assert status_of(settings, batch) == {3: "released"}
    assert asked(settings, accounts, batch) == before == [(10, 9, 1)]
    assert asked(settings, accounts, landed.batch_id) == [(1, 1, 0)]
    kept = "released_from, released_rows, released_by, release_reason, waived_rules FROM ops.batch WHERE batch_id = %s"
    assert asked(settings, f"SELECT {kept}", landed.batch_id) == [(batch, "3", *VOUCHED.values(), [TOO_MANY])]
    waived = (
        "passed, failed_count, is_waived, failing_since FROM marts.quality_result WHERE batch_id = %s AND rule = %s"
    )
    assert asked(settings, f"SELECT {waived}", landed.batch_id, TOO_MANY) == [(False, 1, True, None)]

    for again in ({"rules": [TOO_MANY]}, {"rows": "3"}, {"rows": "2-3"}):
        with pytest.raises(ReleaseError):
            flow.release(batch, settings=settings, **again, **VOUCHED)
    assert asked(settings, facts) == [(57,)]
    assert len(list(ledger.manifests(settings, "community_teams"))) == 2
    assert list((settings.home_dir / "tmp").glob("release-*")) == []

    assert as_known(settings, "community_teams", cut, tmp_path / "before") == [
        row for row in in_lake(settings, "community_teams") if row["commune_code"] != "24003"
    ]
    assert as_known(settings, "community_teams", clock.now(), tmp_path / "after") == in_lake(
        settings, "community_teams"
    )

    # The agency sends the very record again: it is held back again, and is known to be vouched for.
    later = night(settings, TEAMS, SECOND, [team(n, villages_with_team=12 if n == 3 else 5) for n in range(10)])
    assert status_of(settings, later) == {3: "released"}
    assert with_team(in_lake(settings, "community_teams"))["24003"] == 12


def test_a_release_never_wins_over_what_came_later(agencies: Settings, tmp_path: Path) -> None:
    settings = agencies
    teams = night(settings, TEAMS, FIRST, [team(n, villages_with_team=12 if n == 3 else 5) for n in range(10)])
    early, late = (
        {"finished_at": "2026-06-01T08:30:00+07:00", "status_code": 9},
        {"updated_at": "2026-06-03T08:00:00+07:00"},
    )
    dossiers = night(settings, DOSSIERS, FIRST, [dossier(n, **(early if n in (3, 4) else {})) for n in range(12)])
    assert status_of(settings, dossiers) == {3: "held", 4: "held"}
    night(settings, TEAMS, SECOND, [team(n, villages_with_team=7 if n == 3 else 5) for n in range(10)])
    # 3 comes in good order and newer; 4 under its old change time.
    good = {3: late, 4: {}}
    newer = night(settings, DOSSIERS, SECOND, [dossier(n, **good.get(n, {})) for n in range(12)])
    assert status_of(settings, teams) == {3: "resubmitted"}
    assert status_of(settings, dossiers) == {3: "resubmitted", 4: "resubmitted"}
    with pytest.raises(ReleaseError, match="still held"):
        flow.release(dossiers, settings=settings, **VOUCHED)

    before = {feed: in_lake(settings, feed) for feed in ("community_teams", "online_services")}
    flow.release(teams, rows="3", settings=settings, **VOUCHED)
    flow.release(dossiers, rows="3,4", settings=settings, **VOUCHED)
    for feed, rows in before.items():
        assert in_lake(settings, feed) == rows
        assert as_known(settings, feed, clock.now(), tmp_path / feed) == rows
    assert {row["_batch_id"] for row in before["online_services"] if row["dossier_id"] in ("D003", "D004")} == {newer}


def test_what_cannot_be_vouched_for_lands_nothing(agencies: Settings) -> None:
    settings = agencies
    batch = night(
        settings,
        TEAMS,
        FIRST,
        [team(n, **({"unit": "Đắc Lắc Mới", "villages_with_team": 11} if n == 3 else {})) for n in range(10)],
    )
    rules = asked(settings, "SELECT rules FROM marts.quarantine WHERE batch_id = %s", batch)
    assert rules == [(["unit", TOO_MANY],)]
    for wanted, told in (
        ({}, r"1 of 1 rows would be held back again: row 3: unit: 'Đắc Lắc Mới'"),
        ({"rules": [TOO_MANY]}, "that broke villages_with_team_within_total and nothing else"),
        ({"rows": "4"}, "not held back: rows 4"),
        ({"rows": "x"}, "not row numbers"),
        ({"rows": "9-2"}, "not a range"),
    ):
        with pytest.raises(ReleaseError, match=told):
            flow.release(batch, settings=settings, **wanted, **VOUCHED)
    with pytest.raises(ReleaseError, match="--reason: is empty"):
        flow.release(batch, by="x", reason=" ", settings=settings)
    with pytest.raises(ReleaseError, match="holds no quarantined row"):
        flow.release("no-such-batch", settings=settings, **VOUCHED)
    assert len(list(ledger.manifests(settings))) == 1
    assert list((settings.home_dir / "tmp").glob("release-*")) == []


def test_a_stopped_batch_is_made_up_for_by_the_next_good_one(agencies: Settings) -> None:
    batches = [
        night(agencies, TEAMS, FIRST, [team(n, villages_with_team=12 if n % 2 else 5) for n in range(4)]),
        night(agencies, TEAMS, SECOND, [team(n) for n in range(4)]),
    ]
    became = asked(agencies, "SELECT batch_id, status, status_batch_id FROM marts.quarantine")
    assert became == [(batches[0], "resubmitted", batches[1])]


def test_a_stopped_batch_is_released_whole_and_keeps_its_bad_rows(agencies: Settings) -> None:
    settings = agencies
    batch = night(settings, TEAMS, FIRST, [team(n, villages_with_team=12 if n % 2 else 5) for n in range(4)])
    assert asked(settings, "SELECT row_number, rows_count, rule, category, status FROM marts.quarantine") == [
        (-1, 4, "quarantine_share", "batch", "held")
    ]
    assert asked(settings, "SELECT status FROM marts.feed_freshness WHERE source_id = %s", TEAMS) == [("stopped",)]
    with pytest.raises(ReleaseError, match="stopped"):
        flow.release(batch, rows="1", settings=settings, **VOUCHED)
    done = flow.release(batch, rules=["quarantine_share"], settings=settings, **VOUCHED)
    assert (done["rows"], done["rows_loaded"], done["rows_quarantined"]) == (4, 2, 2)
    assert status_of(settings, batch) == {-1: "released"}
    assert status_of(settings, done["batch_id"]) == {1: "held", 3: "held"}
    assert asked(
        settings, "SELECT status <> 'stopped', rows_landed FROM marts.feed_freshness WHERE source_id = %s", TEAMS
    ) == [(True, 4)]

    # A row of a release is released from there; it is still no newer than the day it came.
    second = flow.release(done["batch_id"], rows="3", settings=settings, **VOUCHED)
    assert second["rows_loaded"] == 1
    moments = {row["_landed_at"] for row in in_lake(settings, "community_teams")}
    (original,) = (m for m in ledger.manifests(settings) if m.batch_id == batch)
    assert moments == {original.finished_at}


@pytest.mark.parametrize(("numbers", "text"), [([3, 7, 8, 9], "3,7-9"), ([0], "0"), ([2, 1], "1-2"), ([], "")])
def test_row_numbers_are_written_as_people_write_them(numbers: list[int], text: str) -> None:
    assert ranges_of(numbers) == text
    assert numbers_of(text) == frozenset(numbers)
