"""feed_freshness: given batches, expect one honest line a source."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from dti.clock import day_end
from dti.errors import ConfigError
from dti.settings import Settings
from dti.sources.spec import Source
from dti.warehouse import state
from dti.warehouse.load import Receipt, load_feed
from dti.warehouse.query import run_select
from tests.builders.receipts import NIGHT, failed, manifest, receipt

COLUMNS = "source_id, status, last_interval_end, rows_landed, rows_loaded, rows_quarantined, detail"


def source(name: str, feed: str = "online_services") -> Source:
    """A source as a file would describe it; only its name and feed matter here."""
    return Source.model_construct(
        source=name,
        feed=feed,
        agency="Sở",
        owner="Sở",
        licence="CC",
        synthetic=True,
        pool="agency_default",
        enabled=True,
    )


def freshness(settings: Settings) -> dict[str, tuple[object, ...]]:
    _, rows = run_select(f"select {COLUMNS} from feed_freshness", settings)
    return {row[0]: row[1:] for row in rows}


def load(settings: Settings, *receipts: Receipt, feed: str = "online_services") -> None:
    load_feed(feed, None, [], list(receipts), None, settings=settings)


def test_each_source_has_one_line_that_says_how_it_stands(warehouse: Settings, tmp_path: Path) -> None:
    before = NIGHT - timedelta(days=1)
    state.sync_sources([source(n) for n in ("fresh", "late", "dead", "stopped", "never")], settings=warehouse)
    load(
        warehouse,
        receipt(tmp_path, manifest("fresh", NIGHT), quarantined=1),
        receipt(tmp_path, manifest("late", NIGHT - timedelta(days=2))),
        receipt(tmp_path, manifest("dead", before)),
        failed("dead", NIGHT),
        receipt(tmp_path, manifest("stopped", before)),
        receipt(tmp_path, manifest("stopped", NIGHT), status="stopped"),
    )
    assert freshness(warehouse) == {
        "fresh": ("fresh", day_end(NIGHT), 3, 2, 1, None),
        "late": (
            "stale",
            day_end(NIGHT - timedelta(days=2)),
            3,
            3,
            0,
            "good until 48 h before the newest night; limit 36 h",
        ),
        "dead": ("failed", day_end(before), 0, 0, 0, "dead: no answer in 30 s — ask the agency"),
        "stopped": ("stopped", day_end(before), 3, 0, 3, "no row has a key"),
        "never": ("never", None, None, None, None, "no batch has been decided yet"),
    }


def test_staleness_is_measured_against_the_newest_night_any_feed_tried(warehouse: Settings, tmp_path: Path) -> None:
    state.sync_sources([source("dossiers"), source("staff", "staffing")], settings=warehouse)
    load(warehouse, receipt(tmp_path, manifest("dossiers", NIGHT)))
    assert freshness(warehouse)["dossiers"][0] == "fresh"
    later = NIGHT + timedelta(days=3)
    load(warehouse, receipt(tmp_path, manifest("staff", later, feed="staffing")), feed="staffing")
    assert {name: row[0] for name, row in freshness(warehouse).items()} == {"dossiers": "stale", "staff": "fresh"}
    load(warehouse, failed("staff", later + timedelta(days=1), feed="staffing"), feed="staffing")
    assert freshness(warehouse)["staff"][:2] == ("failed", day_end(later))


def test_a_second_attempt_of_the_night_is_the_newest(warehouse: Settings, tmp_path: Path) -> None:
    load(warehouse, failed("dead", NIGHT))
    assert freshness(warehouse)["dead"][0] == "failed"
    again = manifest("dead", NIGHT, started_at=day_end(NIGHT) + timedelta(hours=9))
    load(warehouse, receipt(tmp_path, again))
    assert freshness(warehouse)["dead"][0] == "fresh"


def test_an_older_night_made_up_later_does_not_hide_the_newest(warehouse: Settings, tmp_path: Path) -> None:
    load(warehouse, failed("dead", NIGHT))
    old = manifest("dead", NIGHT - timedelta(days=5), started_at=day_end(NIGHT) + timedelta(days=2))
    load(warehouse, receipt(tmp_path, old))
    assert freshness(warehouse)["dead"][:2] == ("failed", day_end(NIGHT - timedelta(days=5)))


def test_a_source_whose_file_is_gone_stays_but_is_not_enabled(warehouse: Settings, tmp_path: Path) -> None:
    def enabled() -> dict[str, bool]:
        return dict(run_select("select source_id, enabled from feed_freshness", warehouse)[1])  # type: ignore[arg-type]

    state.sync_sources([source("a"), source("b")], settings=warehouse)
    state.sync_sources([source("b")], settings=warehouse)
    load(warehouse, receipt(tmp_path, manifest("unlisted", NIGHT)))
    assert enabled() == {"a": False, "b": True, "unlisted": False}
    state.sync_sources([source("a"), source("unlisted")], settings=warehouse)
    assert enabled() == {"a": True, "b": False, "unlisted": True}
    state.sync_sources([], settings=warehouse)
    assert set(enabled().values()) == {False}


def test_a_feed_without_a_contract_is_told(warehouse: Settings) -> None:
    with pytest.raises(ConfigError, match="no such feed"):
        state.sync_sources([source("x", "weather")], settings=warehouse)
