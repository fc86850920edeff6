"""The pages of a night: what they tell, what they never show, and when they go."""

from __future__ import annotations

import errno
import html
from datetime import date, timedelta
from pathlib import Path

import html5lib
import pytest

from dti import datadocs, flow
from dti.settings import Settings
from dti.store import DiskStore
from dti.warehouse.load import load_feed
from tests.builders.receipts import failed, line, manifest, receipt

FIRST, FEED = date(2026, 6, 1), "online_services"
CANARY = "canary-7f3a"


def test_a_page_tells_counts_and_rules_and_shows_no_record(warehouse: Settings, tmp_path: Path) -> None:
    lines = [line(0, key_text=CANARY, source_row=CANARY, reason=f"unit: {CANARY}", record=f'{{"unit": "{CANARY}"}}')]
    held = receipt(tmp_path, manifest(night=FIRST, agency="<b>Tỉnh</b>"), quarantined=1, lines=lines)
    rules = [held.verdict.rules[0].model_copy(update={"detail": CANARY})]
    held = held.model_copy(update={"verdict": held.verdict.model_copy(update={"rules": rules})})
    whole = receipt(tmp_path, manifest("sandbox-dossiers-79", FIRST), status="stopped",
                    lines=[line(-1, rule="quarantine_share", rules="quarantine_share", reason=CANARY)])  # fmt: skip
    nobody = failed("sandbox-dossiers-80", FIRST)
    load_feed(FEED, None, [], [held, whole, nobody], None, settings=warehouse)

    (name,) = datadocs.build(FEED, [FIRST], settings=warehouse)
    page = (warehouse.home_dir / name).read_text("utf-8")
    html5lib.HTMLParser(strict=True).parse(page)
    assert CANARY not in page
    assert "<b>Tỉnh" not in page
    assert "landed 3 = loaded 2 + quarantined 1" in page
    assert "Không nhận ra đơn vị hành chính" in html.unescape(page)
    assert "stopped" in page
    assert "unreachable" in page
    assert datadocs.page("2026-06-01", FEED, warehouse) == page.encode()
    for night, feed in (("../..", FEED), ("2026-06-01", "../secrets"), ("2026-06-02", FEED)):
        assert datadocs.page(night, feed, warehouse) is None


def test_old_nights_go_and_a_page_that_was_left_out_is_made_up_for(warehouse: Settings, tmp_path: Path) -> None:
    settings = warehouse.model_copy(update={"quality_docs_nights": 3})
    every = [FIRST + timedelta(days=number) for number in range(5)]
    load_feed(
        FEED, None, [], [receipt(tmp_path, manifest(night=night)) for night in every[:3]], None, settings=settings
    )
    assert len(datadocs.build(FEED, every[2:3], settings=settings)) == 3
    assert datadocs.build(FEED, [], settings=settings) == []
    load_feed(
        FEED, None, [], [receipt(tmp_path, manifest(night=night)) for night in every[3:]], None, settings=settings
    )
    datadocs.build(FEED, every[4:], settings=settings)
    assert datadocs.nights(settings) == [(night.isoformat(), [FEED]) for night in reversed(every[2:])]
    assert [path.name for path in settings.home_dir.glob("docs/quality/**/.*")] == []


def test_a_full_disk_undoes_no_load_and_its_pages_are_made_up_for(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(store: DiskStore, name: str, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", name)

    load_feed(FEED, None, [], [receipt(tmp_path, manifest(night=FIRST))], None, settings=warehouse)
    with monkeypatch.context() as patch:
        patch.setattr(DiskStore, "replace", full)
        assert flow.load(FEED, FIRST, settings=warehouse)["quality_pages"] == []
    assert f"{FEED}: no Data Docs were written" in caplog.text
    assert flow.load(FEED, FIRST, settings=warehouse)["quality_pages"] == [f"docs/quality/{FIRST}/{FEED}.html"]
