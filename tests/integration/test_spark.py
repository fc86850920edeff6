"""The rollup on a standalone Spark cluster: every fact and every mart as DuckDB has it, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from dti import flow
from dti.errors import DtiError
from dti.feeds import feed_names
from dti.rollup import rollup
from dti.rollup.spark import engine, session
from dti.settings import Settings
from dti.warehouse import connect, setup
from dti.warehouse.query import run_select
from dti.warehouse.reference import keep_versions
from tests.builders.dropping import DOSSIERS, TEAMS, describe, dossier, night, team
from tests.builders.spark import QUICK, SECRET, cluster
from tests.conftest import PROJECT, TABLES_TO_EMPTY
from tests.sql.rollup.test_rollup_sql import CASES, lake_row, rows, write_lake

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NIGHTS = (date(2026, 6, 29), date(2026, 6, 30))
OF_A_RUN = {"run_id", "kind", "started_at", "finished_at", "data_cut_off"}
MARTS = ("pillar_index", "composite_index", "indicator_score", "metric_value")


@dataclass(frozen=True)
class Engines:
    """The same settings with either engine."""

    duckdb: Settings
    spark: Settings

    def both(self, feed: str, files: list[str], **changes: Any) -> tuple[pa.Table, pa.Table]:
        """The facts of both."""
        mine, theirs = (each.model_copy(update=changes) for each in (self.duckdb, self.spark))
        return rollup(feed, files, settings=mine).read_all(), rollup(feed, files, settings=theirs).read_all()


@pytest.fixture(scope="module")
def spark_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The settings that lead to a cluster of two workers."""
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch, cluster(folder) as address:
        patch.setenv("JDK_JAVA_OPTIONS", QUICK)
        yield {
            "rollup_engine": "spark",
            "spark_master": address,
            "spark_secret": SecretStr(SECRET),
            "rollup_memory_limit": "512MiB",
        }
        session.stop()


@pytest.fixture(scope="module")
def engines(spark_of: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Engines:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(project=PROJECT, home=home)
    return Engines(settings, settings.model_copy(update=spark_of))


def as_rows(table: pa.Table) -> Counter[str]:
    return Counter(map(str, table.to_pylist()))


def same(mine: pa.Table, theirs: pa.Table) -> bool:
    return bool(mine.schema.equals(theirs.schema)) and as_rows(mine) == as_rows(theirs)


def edges(feed: str) -> list[dict[str, Any]]:
    """Records at the edges: nothing known, midnights, thirds, numbers at their limits, letters of every kind."""
    few = {
        "community_teams": [{}, {"commune_code": "Ổ'\"\\ \n😀", "villages_total": 2**63 - 1, "has_team": True}],
        "data_centre": [
            *(
                {"data_centre_id": "d", "measure": measure, "sampled_at": f"2026-03-0{day}T{hour}:59:59.999999+00:00",
                 "step_seconds": 300, "value": value}
                for measure in ("up_share", "cpu_utilisation_pct", "servers_total", "storage_utilisation_pct")
                for day, hour, value in ((1, 16, "0.333333"), (1, 17, "66.666667"), (2, 16, "1.5"), (2, 17, "2.5"))
            ),
            {"data_centre_id": "d", "measure": "cpu_utilisation_pct", "sampled_at": "2026-03-01T17:30:00+00:00",
             "step_seconds": 300, "value": "0.000001"},
            {"data_centre_id": "d", "measure": "up_share", "sampled_at": "2026-03-01T17:31:00+00:00",
             "step_seconds": 2**31, "value": "9999999999.999999"},
            {"data_centre_id": "e", "measure": "servers_total", "sampled_at": "2026-03-01T17:31:00+00:00",
             "step_seconds": 300, "value": "-0.5"},
        ],
        "declarations": [
            {"metric": "grdp", "basis": "declared", "period_year": 2025, "stated_on": "2026-01-01", "value": value}
            for value in ("9999999999999999999999.999999", "-0.000001", None)
        ],
        "online_services": [
            {"dossier_id": f"D{number}", "procedure_code": "1.1", "status_code": 9, "opened_at": moment,
             "received_at": moment, "finished_at": moment, "due_at": due, "fee_vnd": fee}
            for number, (moment, due, fee) in enumerate([
                ("2025-12-31T16:59:59.999999+00:00", "2025-12-31T17:00:00+00:00", 0),
                ("2025-12-31T17:00:00+00:00", "2025-12-31T17:00:00+00:00", None),
                ("2025-12-31T17:00:00+00:00", "2025-12-31T16:59:59.999999+00:00", 5),
                ("2025-06-30T17:00:00+00:00", None, 2**63 - 1),
            ])
        ],
        "platform_inventory": [
            {},
            {"item_kind": "system", "assessed_on": "2025-12-31", "snapshot_on": "2026-01-01"},
            {"item_kind": "system", "assessed_on": "2026-01-01", "snapshot_on": "2026-01-01"},
            {"item_kind": "workstation_group", "quantity_total": 2**62, "snapshot_on": "2026-01-01"},
            {"item_kind": "government_cloud", "snapshot_on": "2026-01-01"},
        ],
    }  # fmt: skip
    given = few.get(feed, [{}])
    return [lake_row(feed, row | {"partition_key": key}) for row in given for key in ("2026", "007")]


@pytest.mark.parametrize("feed", feed_names())
def test_facts_are_those_of_duckdb_row_for_row(feed: str, engines: Engines) -> None:
    given = [row for param in CASES if param.values[0] == feed for row in rows(str(param.values[1]))]
    records = [lake_row(feed, row) | {"_source_id": f"s{number % 3}"} for number, row in enumerate(given)]
    files = write_lake(feed, records + edges(feed), engines.spark.home_dir / "lakes" / feed)
    mine, theirs = engines.both(feed, files)
    assert {"2026", "007", "2026-03"} & set(theirs["partition_key"].to_pylist()) >= {"2026", "007"}
    assert theirs.schema.equals(mine.schema)
    assert as_rows(theirs) == as_rows(mine)

    mine, theirs = engines.both(feed, [])
    assert theirs.schema.equals(mine.schema)
    assert theirs.num_rows == 0


def part(folder: Path, partition_key: str, name: str, **columns: list[object]) -> str:
    path = folder / f"partition_key={partition_key}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return str(path)


def test_columns_that_older_files_lack_are_null_and_partitions_stay_text(engines: Engines, tmp_path: Path) -> None:
    known = {"unit_id": ["P34-66"], "metric": ["grdp"], "_source_id": ["s'1"]}
    narrow = {"period_year": pa.array([2025], pa.int32())}  # as an older contract may have had it
    files = [
        part(tmp_path / "one", "2025", "old's.parquet", **known),
        part(tmp_path / "one", "01", "new {a,b}*.parquet", **known, evidence_ref=["12/BC"]),
        part(tmp_path / "another", "2025-07", "part.parquet", **known, **narrow),
    ]
    mine, theirs = engines.both("declarations", files)
    assert as_rows(theirs) == as_rows(mine)
    assert sorted(theirs["partition_key"].to_pylist()) == ["01", "2025", "2025-07"]
    assert sorted(map(str, theirs["evidence_ref"].to_pylist())) == ["12/BC", "None", "None"]
    assert theirs.schema.equals(mine.schema)


def project_with(folder: Path, select: str) -> Path:
    """A checkout whose rollup of declarations is another."""
    (folder / "include" / "sql" / "rollup").mkdir(parents=True)
    (folder / "include" / "feeds").symlink_to(PROJECT / "include" / "feeds")
    (folder / "include" / "sql" / "rollup" / "declarations.sql").write_text(select, "utf-8")
    return folder


def test_a_moment_is_of_the_same_day_in_both_whatever_the_machine_says(engines: Engines, tmp_path: Path) -> None:
    select = """
        select metric as unit_id, cast(_landed_at as date) as day, extract(hour from _landed_at) as hour,
            date_trunc('month', _landed_at)::date as month, round(value, 1) as rounded
        from lake order by unit_id limit 3
    """
    moments = ["2025-12-31T16:59:59.999999+00:00", "2025-12-31T17:00:00+00:00", None]
    given = [
        lake_row("declarations", {"metric": f"m{number}", "_landed_at": moment, "value": "-0.25", "partition_key": "x"})
        for number, moment in enumerate(moments)
    ]
    files = write_lake("declarations", given, tmp_path / "lake")
    mine, theirs = engines.both("declarations", files, project=project_with(tmp_path / "project", select))
    assert as_rows(theirs) == as_rows(mine)
    assert sorted(map(str, theirs["day"].to_pylist())) == ["2025-12-31", "2026-01-01", "None"]


@pytest.mark.parametrize("select", ["select cast(metric as bigint) as n from lake", "select stated_on as n from lake"])
def test_what_does_not_fit_is_an_error_with_the_file_and_never_a_null(
    select: str, engines: Engines, tmp_path: Path
) -> None:
    record = {"metric": "many", "stated_on": "2026-01-01", "partition_key": "x"}
    files = write_lake("declarations", [lake_row("declarations", record)], tmp_path / "lake")
    if "stated_on" in select:  # a file whose column is of another type than the contract's
        files = [part(tmp_path / "other", "x", "p.parquet", unit_id=["P34-66"], stated_on=["no day"])]
    project = project_with(tmp_path / "project", select)
    with pytest.raises(DtiError, match="the rollup of declarations failed on Spark") as caught:
        rollup("declarations", files, settings=engines.spark.model_copy(update={"project": project}))
    assert caught.value.where.endswith("include/sql/rollup/declarations.sql")
    assert "\tat " not in caught.value.what
    assert len(caught.value.what) < 2000


def test_a_lake_file_that_is_gone_or_broken_is_told_and_leaves_nothing(engines: Engines, tmp_path: Path) -> None:
    broken = Path(part(tmp_path, "x", "broken.parquet", unit_id=["P34-66"] * 9, metric=["grdp"] * 9))
    broken.write_bytes(broken.read_bytes()[:40])
    for file in (str(tmp_path / "partition_key=x" / "gone.parquet"), str(broken)):
        with pytest.raises(DtiError, match="the rollup of declarations failed on Spark") as caught:
            rollup("declarations", [file], settings=engines.spark)
        assert Path(file).name in caught.value.what
        assert "load the feed again" in caught.value.remedy
    assert results(engines.spark) == []


def results(settings: Settings) -> list[Path]:
    """What Spark wrote for us and still stands there."""
    return list((settings.home_dir / "tmp" / "spark").rglob("*.parquet"))


def test_facts_are_streamed_and_go_with_the_reader(engines: Engines, tmp_path: Path) -> None:
    count = 150_000
    many = part(tmp_path, "2026-01", "many.parquet", unit_id=["P34-66"] * count, metric=[f"m{n}" for n in range(count)])
    reader = rollup("declarations", [many], settings=engines.spark)
    assert results(engines.spark)
    sizes = [batch.num_rows for batch in reader]
    assert sum(sizes) == count
    assert max(sizes) <= 100_000
    assert results(engines.spark) == []
    dropped = rollup("declarations", [many], settings=engines.spark)
    assert results(engines.spark)
    del dropped
    assert results(engines.spark) == []


def test_facts_that_stay_where_the_executors_are_are_missed(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = part(tmp_path, "2026-01", "p.parquet", unit_id=["P34-66"], metric=["grdp"])
    write = engine._write

    def elsewhere(*given: Any) -> int:
        count = write(*given)
        for written in results(engines.spark):
            written.unlink()
        return count

    monkeypatch.setattr(engine, "_write", elsewhere)
    with pytest.raises(DtiError, match="wrote 1 facts of declarations, and 0 of them are here") as caught:
        rollup("declarations", [file], settings=engines.spark)
    assert "DTI_HOME at the same path" in caught.value.remedy


def of_a_year(warehouse: Settings, home: Path, changes: dict[str, Any]) -> dict[str, Any]:
    """Two nights and a recomputation in an empty warehouse: facts, and the marts of all runs."""
    home.mkdir(exist_ok=True)
    (home / "postgres").symlink_to(warehouse.home_dir / "postgres")
    shutil.copy(warehouse.home_dir / "secrets.json", home / "secrets.json")
    settings = warehouse.model_copy(update=changes | {"home": home, "sources": home / "sources"})
    with connect.engine(settings, "owner").begin() as connection:
        connection.execute(text("TRUNCATE " + connection.execute(text(TABLES_TO_EMPTY)).scalar_one()))
        keep_versions(connection)
    describe(settings, home / "sources")
    setup.prepare(settings)
    runs = []
    for day in NIGHTS:
        first = day == NIGHTS[0]
        ended = {"status_code": 9, "finished_at": f"{day}T23:59:59+07:00", "updated_at": f"{day}T23:59:59+07:00"}
        night(settings, DOSSIERS, day, [
            dossier(n, unit=("Đắk Lắk", "Lâm Đồng")[n % 2], procedure_code=f"1.00012{n % 5}",
                    opened_at=f"2026-0{1 + n % 6}-01T00:00:00+07:00", **(ended if n % (4 if first else 3) == 0 else {}))
            for n in range(24 if first else 30)
        ])  # fmt: skip
        night(settings, TEAMS, day, [
            team(n, villages_with_team=12 if n == 3 else n % 5, reported_on=str(day)) for n in range(8)
        ])  # fmt: skip
        runs.append(flow.compute(day, "922-2022", settings=settings)["run_id"])
    request = flow.annual_open(
        year=2026, reason="đối chiếu", requester="kiểm thử", key="k", framework_id="922-2022",
        as_of=runs[-1], settings=settings,
    )  # fmt: skip
    runs.append(flow.annual_compute(request["request_id"], settings=settings)["run_id"])
    found: dict[str, Any] = {"runs": runs}
    with connect.connect(settings, "loader") as driver:
        for feed in ("online_services", "community_teams"):
            facts = driver.execute(f"select to_jsonb(t)::text from facts.{feed} as t").fetchall()  # type: ignore[arg-type]
            found[feed] = Counter(row for (row,) in facts)
    for mart in MARTS:
        for run in runs:
            columns, rows_of = run_select(f"select * from marts.{mart} where run_id = %(run)s", settings, {"run": run})
            found[mart, run] = Counter(
                str([value for name, value in zip(columns, row, strict=True) if name not in OF_A_RUN])
                for row in rows_of
            )
    return found


def test_nights_and_a_recomputed_year_are_those_of_duckdb(
    warehouse: Settings, engines: Engines, spark_of: dict[str, Any], tmp_path: Path
) -> None:
    mine = of_a_year(warehouse, tmp_path / "duckdb", {})
    theirs = of_a_year(warehouse, engines.spark.home_dir, spark_of)
    assert mine["runs"][-1].startswith("annual-2026-r1")
    assert sum(mine["online_services"].values()) > 10
    assert sum(mine["community_teams"].values()) == 14
    assert theirs.keys() == mine.keys()
    assert all(mine[mart, run] for run in mine["runs"] for mart in MARTS)
    assert [name for name in mine if theirs[name] != mine[name]] == []


PROCESS = """
    import sys
    from pathlib import Path
    import pyarrow as pa, pyarrow.parquet as pq
    from dti.libraries import great_expectations
    from dti.rollup import rollup
    from dti.settings import get_settings

    def facts():
        folder = get_settings().home_dir / "lake" / "partition_key=x"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"unit_id": ["P34-66"], "metric": ["grdp"]}), folder / "p.parquet")
        print(rollup("declarations", [str(folder / "p.parquet")], settings=get_settings()).read_all().num_rows)

    def gate():
        print(great_expectations().__name__)
"""


def process(home: Path, steps: str, **variables: str) -> subprocess.Popen[str]:
    """A process of its own that takes these steps, on a Spark of its own."""
    environment = os.environ | {
        "DTI_HOME": str(home), "DTI_ROLLUP_ENGINE": "spark", "DTI_SPARK_MASTER": "local[1]",
        "DTI_ROLLUP_MEMORY_LIMIT": "512MiB", "JDK_JAVA_OPTIONS": QUICK, **variables,
    }  # fmt: skip
    program = textwrap.dedent(PROCESS) + steps
    return subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def jvms_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children(recursive=True) if child.name() == "java"]


def test_gate_and_spark_share_a_process_that_ends_with_its_jvm_and_says_nothing_of_it(tmp_path: Path) -> None:
    with process(tmp_path, "gate(); facts(); print('all', flush=True); sys.stdin.read()") as running:
        assert running.stdout
        assert [running.stdout.readline().strip() for _ in range(3)] == ["great_expectations", "1", "all"]
        (jvm,) = jvms_of(running.pid)
        _, noise = running.communicate("")
    assert running.returncode == 0
    assert not jvm.is_running()
    assert noise == ""
    assert [path.name for path in (tmp_path / "tmp" / "spark").iterdir()] == ["lock"]


def test_spark_shares_a_process_with_the_gate_listens_to_nobody_and_dies_with_its_process(tmp_path: Path) -> None:
    with process(tmp_path, "facts(); gate(); facts(); print('all', flush=True); sys.stdin.read()") as running:
        assert running.stdout
        told = [running.stdout.readline().strip() for _ in range(4)]
        assert told == ["1", "great_expectations", "1", "all"]
        (jvm,) = jvms_of(running.pid)
        listening = {each.laddr.ip for each in jvm.net_connections("inet") if each.status == psutil.CONN_LISTEN}
        assert listening
        assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}
        (folder,) = (path for path in (tmp_path / "tmp" / "spark").iterdir() if path.is_dir())
        running.send_signal(signal.SIGKILL)
    psutil.wait_procs([jvm], timeout=60)
    assert not jvm.is_running()
    _, lock = session._own_folder(Settings(home=tmp_path))
    lock.close()
    assert not folder.exists()


def test_a_spark_that_is_killed_or_given_nothing_is_told_and_the_next_rollup_has_another(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    files = [part(tmp_path, "2026-01", "p.parquet", unit_id=["P34-66"], metric=["grdp"])]
    assert rollup("declarations", files, settings=engines.spark).read_all().num_rows == 1
    javas = [each.info["cmdline"] for each in psutil.process_iter(["name", "cmdline"]) if each.info["name"] == "java"]
    assert sum("CoarseGrainedExecutorBackend" in str(command) for command in javas) >= 2
    assert SECRET not in str(javas)
    write = engine._write

    def killed(*given: Any) -> int:
        assert session._running
        session._running.jvm.kill()
        return write(*given)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "_write", killed)
        with pytest.raises(DtiError, match="Spark ended while it worked") as caught:
            rollup("declarations", files, settings=engines.spark)
    assert "repeat it" in caught.value.remedy

    greedy = engines.spark.model_copy(update={"rollup_memory_limit": "1100MiB"})
    with monkeypatch.context() as patch:
        patch.setattr(session, "EXECUTOR_SECONDS", 2)
        with pytest.raises(DtiError, match="no executor within 2 s") as caught:
            rollup("declarations", files, settings=greedy)
    assert "DTI_ROLLUP_MEMORY_LIMIT (1100MiB)" in caught.value.remedy
    assert SECRET not in caplog.text

    assert rollup("declarations", files, settings=engines.spark).read_all().num_rows == 1
    assert len(list((engines.spark.home_dir / "tmp" / "spark").glob("*.lock"))) == 1
