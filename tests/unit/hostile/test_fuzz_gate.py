"""Anything that may have landed, through the real contracts and suites: each row is loaded and keeps its contract, as
plain Python reads it, or is held back with a reason; and nothing that keeps its contract is held back."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import strategies as st

from dti.feeds import load_contract
from dti.gate import judge
from dti.gate.units import load_units
from dti.landing.batch import Manifest
from dti.settings import Settings, get_settings
from tests.conftest import PROJECT
from tests.unit.gate.conftest import GOOD, good, land  # noqa: F401 - the fixtures
from tests.unit.hostile import oracle
from tests.unit.hostile.junk import NASTY, TEXTS
from tests.unit.hostile.profiles import CASES, fuzz, told

ROWS = 40
INCLUDE = PROJECT / "include"
ONE_DAY = {"platform_inventory": "snapshot_on", "service_catalogue": "snapshot_on"}
"""Feeds whose batch is stopped unless all its rows are of one day."""
NEAR = [
    "0", "-1", "1", "2", "3", "4", "5", "9", "10", "11", "100", "101", "2020", "2019", "2025", "86400", "86401", "-0",
    "007",
    "1.0", "0.5", "1.0000001", "0.9999999", "100.0000004", "-0.0000001", "1e2", "1E-7", ".5", "5.", "+5", "9" * 18,
    "9" * 22,
    "9" * 21 + ".9999996", "true", "false", "2025-08-10", "2025-08-11", "2025-08-12", "1999-12-31", "2000-01-01",
    "2025-06-30", "2025-07-01", "2199-12-31", "2200-01-01", "2025-08-10T00:00:00+07:00", "2025-08-12T00:00:00+07:00",
    "2025-08-11T16:59:59.999999Z", "2025-08-11T17:00:00Z", "2025-08-10 08:00+07", "2025-08-10T24:00:00+07:00",
    "2025-08-10T23:59:60Z", "2025-08-10T08:00:00", "2025-08-10T08:00:00.123456789+0700", "2025-08-10T08:00:00+15:00",
    "2025-06-30T17:00:00Z", "1.000656", "1.000656\n", "1.000656.000.00.00.H15", "up_share", "servers_total", "system",
    "appraised", "declared", "staff_total", "data_centre", "Phú Yên", "P63-54", "P34-66", "P34-99", "TP. Huế",
    unicodedata.normalize("NFD", "Đắk Lắk"), "Sóc Trăng",
]  # fmt: skip


def writable(text: str) -> str:
    """As any reader of ours lands it: without half characters. All else may have been landed."""
    return text.encode("utf-8", "replace").decode()


@st.composite
def changes(draw: st.DrawFn) -> list[dict[int, str | None]]:
    """For each row of a batch, by position of a column, what stands there instead."""
    value = st.one_of(st.sampled_from(NEAR), st.sampled_from(NEAR), st.none(), TEXTS.map(writable))
    rows = st.dictionaries(st.integers(0, 30), value, max_size=3)
    return draw(st.lists(rows, min_size=ROWS, max_size=ROWS))


@pytest.fixture
def lenient(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The contracts and suites that ship, but no share of bad rows stops a batch: so every row is judged."""
    project = tmp_path / "project"
    (project / "include" / "feeds").mkdir(parents=True)
    for each in ("reference", "frameworks"):
        (project / "include" / each).symlink_to(INCLUDE / each)
    (project / "expectations").symlink_to(PROJECT / "expectations")
    for path in (INCLUDE / "feeds").glob("*.yml"):
        contract = yaml.safe_load(path.read_text("utf-8"))
        contract["quarantine_limit_pct"] = 100
        contract["drift"] = {"retyped_field": "quarantine"}
        text = yaml.safe_dump(contract, allow_unicode=True, sort_keys=False)
        (project / "include" / "feeds" / path.name).write_text(text, "utf-8")
    monkeypatch.setenv("DTI_PROJECT", str(project))
    get_settings.cache_clear()
    load_contract.cache_clear()
    yield settings.model_copy(update={"project": project})  # type: ignore[misc]
    load_contract.cache_clear()


def horizon_of(manifest: Manifest) -> oracle.Horizon:
    """A day after the later of the window's end and the reading."""
    with (INCLUDE / "reference" / "metrics.csv").open(encoding="utf-8") as file:
        metrics = list(csv.DictReader(file))
    named = {line["metric"] for line in metrics}
    for path in (INCLUDE / "frameworks").glob("*/indicators.csv"):
        with path.open(encoding="utf-8-sig") as file:
            named |= {line["numerator_metric"] for line in csv.DictReader(file)}
    yes_no = frozenset(line["metric"] for line in metrics if line["unit"] == "yes_no")
    return oracle.Horizon(
        max(manifest.until, manifest.finished_at) + timedelta(days=1), frozenset(named) - {""}, yes_no
    )


def expected(feed: str, rows: list[dict[str, str | None]], manifest: Manifest, settings: Settings) -> dict[int, Any]:
    """The rows that are to be loaded, by number, typed by the oracle; units as the directory has them."""
    contract, units, horizon = load_contract(feed), load_units(settings), horizon_of(manifest)
    sound: dict[int, Any] = {}
    for number, row in enumerate(rows):
        found = oracle.read(row, contract)
        if found is None or not oracle.keeps(feed, found, horizon):
            continue
        geography = "63" if found[contract.day_column].isoformat() < "2025-07-01" else "34"
        unit = units.resolve(row["unit"], geography) if row["unit"] else None
        if unit is not None:
            sound[number] = found | {"unit_id": unit}
    keys = Counter(tuple(row[name] for name in contract.key) for row in sound.values())
    return {n: row for n, row in sound.items() if keys[tuple(row[name] for name in contract.key)] == 1}


@fuzz(14, 280, feed=st.sampled_from(sorted(GOOD)), spoilt=changes())
def test_rows_of_a_batch(
    feed: str,
    spoilt: list[dict[int, str | None]],
    land: Callable[..., Manifest],  # noqa: F811
    good: Callable[..., dict[str, str | None]],  # noqa: F811
    lenient: Settings,
) -> None:
    contract = load_contract(feed)
    names = [name for name in ["unit", *contract.columns] if name != ONE_DAY.get(feed)]
    rows = [good(feed) for _ in spoilt]
    for row, places in zip(rows, spoilt, strict=True):
        row |= {names[place % len(names)]: text for place, text in places.items()}
    CASES["test_rows_of_a_batch (rows)"] += len(rows)
    manifest = land(feed, rows)
    verdict = judge(manifest, settings=lenient)

    loaded = [row for file in verdict.passed_files for row in pq.read_table(file).to_pylist()]
    lines = pq.read_table(verdict.quarantine_file).to_pylist() if verdict.quarantine_file else []
    assert verdict.rows_landed == len(rows) == verdict.rows_passed + verdict.rows_quarantined
    if verdict.status == "stopped":
        assert feed == "service_catalogue", verdict.stopped_reason
        assert all(row["is_active"] != "true" or n not in expected(feed, rows, manifest, lenient)
                   for n, row in enumerate(rows))  # fmt: skip
        return
    assert (verdict.rows_passed, verdict.rows_quarantined) == (len(loaded), len(lines))
    held = {line["row_number"] for line in lines}
    assert all(line["reason"] and line["rule"] for line in lines)
    assert all(json.loads(line["record"]) is not None for line in lines)

    wanted = expected(feed, rows, manifest, lenient)
    assert held == set(range(len(rows))) - set(wanted), {
        n: (rows[n], [line["reason"] for line in lines if line["row_number"] == n])
        for n in held ^ (set(range(len(rows))) - set(wanted))
    }
    for row, (number, typed) in zip(loaded, sorted(wanted.items()), strict=True):
        for name, value in typed.items():
            assert same(row[name], value), (number, name, row[name], value, rows[number])


def same(found: Any, wanted: Any) -> bool:
    """Equal, but for a millionth of a second that was cut off or rounded."""
    if isinstance(wanted, Decimal):
        return bool(abs(found - wanted) <= Decimal("0.000001"))
    if hasattr(wanted, "timestamp"):
        return abs(found - wanted) <= timedelta(microseconds=1)
    return bool(found == wanted)


@fuzz(4, 80, feed=st.sampled_from(sorted(GOOD)), data=st.data())
def test_anything_at_all(
    feed: str,
    data: st.DataObject,
    land: Callable[..., Manifest],  # noqa: F811
    settings: Settings,
) -> None:
    """No row is sound: the batch is stopped, or every row is held back; with a reason either way."""
    columns = load_contract(feed).landed_columns
    cell = st.one_of(st.none(), st.sampled_from(NASTY).map(writable), TEXTS.map(writable))
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, cell)), min_size=1, max_size=12))
    CASES["test_anything_at_all (rows)"] += len(rows)
    verdict = told(lambda: judge(land(feed, rows), settings=settings), "")
    assert verdict.rows_quarantined == verdict.rows_landed == len(rows)
    assert verdict.status == "passed" or verdict.stopped_reason
