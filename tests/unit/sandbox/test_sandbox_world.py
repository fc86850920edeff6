"""The made-up country: the same for everyone, true to time, plausible in size."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sandbox import truth
from sandbox.portals.agencies import World, covered
from sandbox.portals.dossier_list import dossier_list
from sandbox.portals.dossiers import stamp
from sandbox.world.declared import rules, statements
from sandbox.world.lifecycle import LIFE_DAYS, NEVER, Event, make_shard
from sandbox.world.times import DAY, VIETNAM, midnight, moment
from sandbox.world.units import maturity, units, units_on

ROOT = Path(__file__).parents[3]
YEAR_START, JULY = midnight(date(2026, 1, 1)), midnight(date(2026, 7, 1))

FINGERPRINT = """
import hashlib, json
from datetime import date
from sandbox import truth
for source in truth.sources():
    night = date(2026, 3, 15)
    found = truth.delivered(source, night, since=date(2026, 3, 12))
    text = [json.dumps([d.record, d.flaw], default=str, sort_keys=True) for d in found]
    print(source, len(text), hashlib.sha256("".join(text).encode()).hexdigest())
"""


def _fingerprint(hash_seed: str) -> str:
    environment = {"PYTHONHASHSEED": hash_seed, "PATH": ""}
    command = [sys.executable, "-c", FINGERPRINT]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_every_process_sees_the_same_country() -> None:
    seen = [_fingerprint(seed) for seed in ("1", "2")]
    assert seen[0] == seen[1]
    assert len(seen[0].splitlines()) == 18


def test_another_seed_is_another_country() -> None:
    night = date(2026, 3, 15)
    one, two = (
        [d.record for d in truth.delivered("dvc-dak-lak", night, world=World(seed=seed))] for seed in (922, 923)
    )
    assert one != two


def test_half_a_year_has_the_promised_number_of_dossiers() -> None:
    received = 0
    for unit in units("34"):
        for month in range(1, 7):
            at = make_shard(922, unit, date(2026, month, 1)).events[:, Event.RECEIVE]
            received += int((at < JULY).sum())
    assert 20_000 <= received <= 25_000


def test_scale_multiplies_dossiers() -> None:
    dak_lak = next(u for u in units("34") if u.code == "66")
    one, ten = (len(make_shard(922, dak_lak, date(2026, 3, 1), scale).day) for scale in (1, 10))
    assert ten == pytest.approx(10 * one, rel=0.1)


@pytest.mark.parametrize("month", [date(2022, 2, 1), date(2026, 4, 1)])
def test_a_dossier_goes_one_way_in_time_and_ends(month: date) -> None:
    for unit in units_on(month)[::7]:
        events = make_shard(922, unit, month, 3.0).events
        for row in events:
            happened = row[row < NEVER]
            assert (np.diff(happened) >= 60).all()
            assert happened[-1] - happened[0] < LIFE_DAYS * DAY
            assert (row[Event.RECEIVE] < NEVER) != (row[Event.REFUSE] < NEVER)


def test_every_state_of_the_national_portal_occurs() -> None:
    found = truth.delivered("dvc-quoc-gia", date(2026, 6, 30), since=date(2026, 6, 1))
    seen = {d.record["TrangThaiHoSo"] for d in found if d.flaw is None}
    assert seen == {str(status) for status in range(1, 11)}


@pytest.mark.parametrize("portal", ["dak-lak", "lam-dong", "quoc-gia"])
def test_no_portal_knows_what_is_still_to_come(portal: str) -> None:
    clock = moment(datetime(2026, 2, 11, 14, 30, tzinfo=VIETNAM))
    lines = dossier_list(World(), portal, clock)
    entries = list(lines.oldest_first(YEAR_START, JULY))
    assert entries
    for entry in entries:
        record, flaw = lines.show(entry)
        assert entry.updated <= clock
        assert record["NgayCapNhat"] == stamp(portal, entry.updated)
        if flaw is None:
            for field in ("NgayNopHoSo", "NgayTiepNhan", "NgayTuChoi", "NgayTra", "NgayKetThucXuLy"):
                assert _plain(portal, record[field]) <= _plain(portal, stamp(portal, clock))


def _plain(portal: str, text: str) -> str:
    """A portal's time so that it sorts."""
    return f"{text[6:10]}{text[3:5]}{text[:2]}{text[11:]}" if portal == "lam-dong" else text


def test_a_dossier_keeps_its_beginning_and_only_moves_forward() -> None:
    seen: dict[str, dict[str, str]] = {}
    moved = 0
    for day in range(1, 29, 3):
        clock = datetime(2026, 4, day, 2, tzinfo=VIETNAM)
        for delivery in truth.delivered("dvc-dak-lak", date(2026, 4, 30), clock=clock):
            record = delivery.record
            before = seen.get(record["MaHoSo"])
            if delivery.flaw is None and before:
                assert (record["NgayNopHoSo"] or record["NgayTiepNhan"]) == (
                    before["NgayNopHoSo"] or before["NgayTiepNhan"]
                )
                assert record["NgayCapNhat"] >= before["NgayCapNhat"]
                moved += record["TrangThaiHoSo"] != before["TrangThaiHoSo"]
            if delivery.flaw is None:
                seen[record["MaHoSo"]] = record
    assert moved > 50


def test_sixty_three_provinces_until_june_2025_and_thirty_four_after() -> None:
    assert len(units_on(date(2025, 6, 30))) == 63
    assert len(units_on(date(2025, 7, 1))) == 34
    assert sum(u.population for u in units("63")) == sum(u.population for u in units("34"))
    for night, count in ((date(2025, 6, 30), 60), (date(2025, 12, 31), 31)):
        found = truth.delivered("dvc-quoc-gia", night, since=night - timedelta(days=15))
        assert len({d.record["MaTinh"] for d in found if d.flaw is None}) == count


def test_sources_of_one_feed_share_no_province() -> None:
    for geography in ("63", "34"):
        for feed, agencies in {
            "online_services": ("dak-lak", "lam-dong", "ca-mau", "quoc-gia"),
            "service_catalogue": ("dak-lak", "lam-dong", "quoc-gia"),
            "platform_inventory": ("dak-lak", "lam-dong", "quoc-gia"),
            "data_centre": ("dak-lak", "quoc-gia"),
            "staffing": ("dak-lak", "quoc-gia"),
            "community_teams": ("dak-lak", "quoc-gia"),
            "declarations": ("dak-lak", "quoc-gia"),
        }.items():  # fmt: skip
            found = [u.unit_id for agency in agencies for u in covered(agency, feed, geography)]
            assert sorted(found) == sorted(u.unit_id for u in units(geography))


def test_provinces_differ_and_dak_lak_is_in_the_middle() -> None:
    levels = {u.code: maturity(922, u, 2026) for u in units("34")}
    rank = sorted(levels.values(), reverse=True).index(levels["66"])
    assert 8 <= rank <= 25
    assert max(levels.values()) - min(levels.values()) > 0.4


def test_every_figure_that_922_takes_from_declarations_is_stated_with_gaps_and_zeros() -> None:
    with (ROOT / "include/frameworks/922-2022/indicators.csv").open(encoding="utf-8", newline="") as lines:
        indicators = [row for row in csv.DictReader(lines) if row["feed"] == "declarations"]
    wanted = {row[part] for row in indicators for part in ("numerator_metric", "denominator_metric")}
    wanted -= {"", "months_in_period"}
    assert wanted <= set(rules())
    assert set(rules()) - wanted, "some measured metrics are declared as well"
    stated = [s for s in statements(922, date(2026, 6, 30)) if s.period_year == 2026]
    assert {s.metric for s in stated} == set(rules())
    by_unit = {u.unit_id: {s.metric for s in stated if s.unit == u} for u in units("34")}
    assert any(len(metrics) < len(rules()) for metrics in by_unit.values())
    assert [s for s in stated if s.metric == "incidents_total" and s.value == 0]
    assert {s.basis for s in stated} == {"declared", "appraised"}
    assert all(s.stated_on <= date(2026, 6, 30) for s in stated)


def test_no_part_is_stated_larger_than_its_whole() -> None:
    values = {
        (s.unit, s.metric, s.basis, s.period_year, s.stated_on): s.value for s in statements(922, date(2026, 6, 30))
    }
    checked = 0
    for (unit, metric, *when), value in values.items():
        rule = rules()[metric]
        whole = values.get((unit, rule.of, *when)) if rule.kind == "part" and rule.high <= 1 else None
        if whole is not None:
            assert value <= whole
            checked += 1
    assert checked > 1000


def test_flaws_of_every_kind_occur_but_stop_only_one_batch() -> None:
    night = date(2026, 6, 30)
    kinds: set[str] = set()
    for source in set(truth.sources()) - set(truth.DEAD):
        since = date(2026, 1, 1) if source == "prometheus-quoc-gia" else date(2026, 6, 1)
        found = list(truth.delivered(source, night, since=since))
        flawed = [d.flaw for d in found if d.flaw not in {None, "older_twin"}]
        kinds |= {f for f in flawed if f}
        share = len(flawed) / len(found)
        assert (share > 0.2) == (source in truth.STOPPED), source
    assert kinds >= {
        "unknown_unit", "status_in_words", "missing_procedure", "bad_procedure_code", "finished_before_received",
        "impossible_date", "negative_fee", "roles_above_total", "counted_twice", "unknown_kind", "unknown_metric",
        "over_100",
    }  # fmt: skip


def test_a_million_dossiers_can_be_listed_from_anywhere() -> None:
    lines = dossier_list(World(scale=44), "quoc-gia", moment(datetime(2026, 7, 1, 2, tzinfo=VIETNAM)))
    since = midnight(date(2026, 6, 29))
    first = next(lines.oldest_first(since, JULY))
    assert since <= first.updated < since + 60
    page = lines.newest_first(since, JULY, 1000, 50)
    assert [e.updated for e in page] == sorted((e.updated for e in page), reverse=True)


def test_nothing_happens_before_the_first_day() -> None:
    lines = dossier_list(World(), "dak-lak", midnight(date(2021, 1, 20)))
    first = next(lines.oldest_first(0, JULY))
    assert first.updated >= midnight(date(2021, 1, 1))
    assert first.updated < midnight(date(2021, 1, 1)) + 2 * timedelta(days=1).total_seconds()
