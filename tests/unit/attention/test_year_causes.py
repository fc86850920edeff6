"""Corrections that expired and publications that are outdated, on a desk where nothing stays."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from dti.attention.year_causes import year_causes
from tests.builders.candidates import CUT_OFF, DAK_LAK, Desk
from tests.conftest import PROJECT

VALUES = {(DAK_LAK, "n"): 70}


@pytest.fixture(name="desk")
def _desk(warehouse):
    from dti.warehouse.connect import engine

    with engine(warehouse, "loader").connect() as connection:
        yield Desk(connection, warehouse)
        connection.rollback()


def found(desk: Desk) -> dict:
    return {cause.key: cause for cause in year_causes(desk.connection, CUT_OFF + timedelta(days=1), 3)}


def test_an_expired_correction_of_the_newest_night(desk):
    run = desk.run("night-2026-12-31", VALUES)
    desk.correct(run, "c-applied", "n")
    assert found(desk) == {}
    desk.correct(run, "c-gone", "m", status="expired", detail="the source now says 70")
    (cause,) = found(desk).values()
    assert cause.key == "correction_expired/c-gone"
    assert cause.effect.units == [DAK_LAK]
    assert "the source now says 70" in cause.what.en
    assert "Đắk Lắk" in cause.effect.words.vi


def test_a_published_year_whose_source_restates_a_day(desk):
    run = desk.run("annual-2026", VALUES)
    publication = desk.publish(run)
    assert found(desk) == {}
    desk.restate(DAK_LAK, "source-n", "2026-05-04")
    (cause,) = found(desk).values()
    assert cause.key == f"publication_outdated/{publication}"
    assert "online_services restated 1 days" in cause.what.en
    assert publication in cause.effect.words.en


def test_every_runbook_that_a_cause_names_is_there():
    code = "".join(path.read_text("utf-8") for path in (PROJECT / "src" / "dti" / "attention").glob("*.py"))
    named = set(re.findall(r"\"(docs/[\w/-]+\.md)\"", code))
    assert len(named) >= 5
    assert [path for path in sorted(named) if not (Path(PROJECT) / path).is_file()] == []
