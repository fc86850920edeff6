"""The processes that fork those of tasks have imported what is heavy, of others only, and what they fork works."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dti_airflow.environment import OUR_EXECUTOR
from dti_airflow.services import airflow_command

FORKED = """
import os, sys, threading, traceback
from dti.libraries import HEAVY, import_all

import_all()
assert {*HEAVY, "great_expectations"} <= set(sys.modules)
ours = {name for name in sys.modules if name.split(".")[0] in ("dti", "dti_airflow", "sandbox")}
assert ours == {"dti", "dti.libraries"}, ours
assert threading.active_count() == 1
child = os.fork()
if child == 0:
    status = 1
    try:
        import tempfile
        import deltalake, duckdb, pyarrow as pa, pyarrow.parquet as pq
        from dti.gate.engine import check
        from dti.gate.suite import Expectation

        table = pa.table({"row_number": range(100_000), "code": [str(n % 7) for n in range(100_000)]})
        with tempfile.TemporaryDirectory() as folder:
            pq.write_table(table, f"{folder}/part.parquet")
            deltalake.write_deltalake(f"{folder}/lake", pq.read_table(f"{folder}/part.parquet"))
            read = deltalake.DeltaTable(f"{folder}/lake").to_pyarrow_table()
            assert duckdb.sql("select count(*), count(distinct code) from read").fetchall() == [(100_000, 7)]
        rule = Expectation(
            type="expect_column_values_to_be_in_set", severity="critical",
            meta={"rule": "known", "reason": "unknown code", "reason_vi": "mã lạ"},
            kwargs={"column": "code", "value_set": list("012345")},
        )
        [found] = check(table.slice(0, 14), [rule], {})
        assert found.failed_rows == [6, 13], found
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)
assert os.waitpid(child, 0)[1] == 0
"""


def test_what_is_imported_ahead_is_others_code_and_works_in_a_forked_process() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_it_is_airflows_own_command_that_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dti_airflow.warm", "version"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith("3."), done.stdout


@pytest.mark.parametrize(
    ("name", "executor", "imports_first"),
    [
        ("scheduler", OUR_EXECUTOR, True),
        ("scheduler", "CeleryExecutor", False),
        ("worker", "CeleryExecutor", True),
        ("api-server", OUR_EXECUTOR, False),
        ("dag-processor", OUR_EXECUTOR, False),
        ("triggerer", OUR_EXECUTOR, False),
    ],
)
def test_only_who_forks_tasks_imports_ahead(name: str, executor: str, imports_first: bool) -> None:
    assert (airflow_command(name, executor)[2] == "dti_airflow.warm") is imports_first
