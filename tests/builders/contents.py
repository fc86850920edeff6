"""What a warehouse, its lake and its landing hold, row by row, but for times and names that each run gives anew."""

from __future__ import annotations

import fcntl
import re
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from dti import lake
from dti.landing import ledger
from dti.settings import Settings
from dti.warehouse import connect, state

Contents = dict[str, Counter[str]]
"""Table → its rows, with how often each stands there."""

SCORES = ("metric_value", "indicator_score", "indicator_input", "pillar_index", "composite_index")
OF_A_RUN = "array['started_at', 'finished_at', 'data_cut_off']"
OF_A_BATCH = (
    "array['batch_id', 'batch_ids', 'started_at', 'finished_at', 'loaded_at', 'load_number', 'warnings',"
    " 'requests_count', 'retries_count', 'bytes_received', 'restatement_number', 'recorded_at']"
)
MARTS = {
    "pillar_index": "unit_id, pillar_code, points, index_value, coverage, rank_national, rank_region",
    "composite_index": "unit_id, composite_code, index_value, rank_national, rank_region",
    "indicator_score": "unit_id, indicator_code, basis, numerator, denominator, value, points, status",
    "metric_value": "unit_id, metric, feed, basis, value, first_day, last_day",
}
FRESHNESS = "feed, source_id, last_interval_end, rows_landed, rows_loaded, rows_quarantined, status"
SHORT_WAIT = 10.0
CHECKPOINT = re.compile(r"_last_checkpoint|\d{20}\.checkpoint\.parquet")
"""What Delta keeps beside its log, every hundred versions."""


def contents(settings: Settings, feeds: Sequence[str], night: date) -> Contents:
    """Facts, lake and landing whole, receipts of all batches, and the index of ``night``.

    A source that was pulled again for a night has landed the same rows in a batch more, so batches count once by what
    they say; rows of the lake without the batch that brought them, which is the newer of two that say the same.
    """
    run = f"run_id like 'night-{night}.%'"
    questions = {f"facts.{feed}": f"select to_jsonb(t) as r from facts.{feed} as t" for feed in feeds}
    questions["score.run"] = f"select to_jsonb(t) - {OF_A_RUN} as r from score.run as t where {run}"
    for table in SCORES:
        questions[f"score.{table}"] = f"select to_jsonb(t) as r from score.{table} as t where {run}"
    for mart, columns in MARTS.items():
        questions[f"marts.{mart}"] = f"select to_jsonb(t) as r from (select {columns} from marts.{mart} where {run}) t"
    questions["marts.feed_freshness"] = f"select to_jsonb(t) as r from (select {FRESHNESS} from marts.feed_freshness) t"
    questions["ops.source"] = "select to_jsonb(t) as r from ops.source as t"
    questions["ops.batch"] = f"select distinct to_jsonb(t) - {OF_A_BATCH} as r from ops.batch as t"
    for table in ("quarantine", "quality_result"):
        questions[f"ops.{table}"] = f"""
            select distinct to_jsonb(t) - {OF_A_BATCH} || jsonb_build_array(b.source_id, b.night) as r
            from ops.{table} as t inner join ops.batch as b using (batch_id)
        """
    questions["ops.restatement"] = f"select to_jsonb(t) - {OF_A_BATCH} as r from ops.restatement as t"
    with connect.connect(settings, "owner") as driver:
        found = {
            name: Counter(row for (row,) in driver.execute(f"select r::text from ({question}) as q").fetchall())
            for name, question in questions.items()
        }
    found |= {f"lake.{feed}": _lake_rows(feed, settings) for feed in feeds}
    landed = {
        (m.feed, m.source_id, str(m.night), str(m.since), str(m.until), m.rows, m.sha256)
        for m in ledger.manifests(settings)
        if m.outcome == "landed"
    }
    return found | {"landing": Counter(str(each) for each in landed)}


def differences(expected: Contents, found: Contents) -> dict[str, tuple[list[str], list[str]]]:
    """Table → rows that are missing, rows that are too many; empty when all is equal."""
    told = {
        name: (
            sorted((expected.get(name, Counter()) - found.get(name, Counter())).elements()),
            sorted((found.get(name, Counter()) - expected.get(name, Counter())).elements()),
        )
        for name in expected.keys() | found.keys()
    }
    return {name: rows for name, rows in told.items() if rows != ([], [])}


def left_over(settings: Settings, feeds: Sequence[str]) -> list[str]:
    """Files that belong to nothing, locks that are held, sessions that wait: what an undisturbed night has none of."""
    left = [str(path) for folder in ("staging", "tmp") for path in (settings.home_dir / folder).rglob("*")]
    left = [path for path in left if not Path(path).is_dir() or "/staging/" in path]
    for manifest in ledger.manifests(settings):
        ledger.verify(manifest, settings)
    for batch in settings.landing_dir.glob("*/*/*/"):
        known = {ledger.MANIFEST}
        if (batch / ledger.MANIFEST).exists():
            known |= {p.file for p in ledger.manifest_of(batch.parts[-3], batch.parts[-2], batch.name, settings).parts}
        left += [str(path) for path in batch.iterdir() if path.name not in known]
    for feed in feeds:
        left += _lake_left_over(feed, settings)
        if state.lake_version(feed, settings=settings) != lake.version(feed, settings=settings):
            left.append(f"{feed}: the facts do not reflect the newest lake")
    left += [f"{path} is locked" for path in settings.home_dir.rglob("*.lock") if _held(path)]
    return left + _sessions(settings)


def _lake_rows(feed: str, settings: Settings) -> Counter[str]:
    partitions = lake.changed_partitions(feed, None, settings=settings)
    with lake.at_hand(feed, partitions, settings=settings) as files, duckdb.connect() as db:
        if not files:
            return Counter()
        rows = db.read_parquet(files, hive_partitioning=True, union_by_name=True)
        names = ", ".join(f'"{n}"' for n in sorted(rows.columns) if n not in ("_batch_id", "_landed_at"))
        rows.project(names).create_view("kept")
        return Counter(row for (row,) in db.sql("select kept::varchar from kept").fetchall())


def _lake_left_over(feed: str, settings: Settings) -> list[str]:
    """Files in a table's folder that none of its versions has ever named, and drafts of commits."""
    folder = settings.lake_dir / feed
    if not DeltaTable.is_deltatable(str(folder)):
        return [str(path) for path in folder.rglob("*") if path.is_file()]
    named = "".join(path.read_text("utf-8") for path in folder.glob("_delta_log/*.json"))
    files = [path for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts]
    log = [path for path in (folder / "_delta_log").iterdir() if path.suffix != ".json"]
    drafts = [path for path in log if not CHECKPOINT.fullmatch(path.name)]
    return [str(path) for path in [*(file for file in files if file.name not in named), *drafts]]


def _held(lock: Path) -> bool:
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _sessions(settings: Settings) -> list[str]:
    """Locks and open transactions of others; the server takes a moment to see that a client was killed."""
    waiting = """
        select 'advisory lock of ' || pid from pg_locks where locktype = 'advisory'
        union all
        select state || ': ' || left(query, 60) from pg_stat_activity
        where pid <> pg_backend_pid() and datname = current_database() and backend_type = 'client backend'
    """
    deadline = time.monotonic() + SHORT_WAIT
    with connect.connect(settings, "owner") as driver:
        driver.autocommit = True
        while found := [text for (text,) in driver.execute(waiting).fetchall()]:
            if time.monotonic() > deadline:
                return found
            time.sleep(0.1)
    return []
