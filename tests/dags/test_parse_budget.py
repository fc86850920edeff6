"""DAG files are parsed every half minute, for ever: they must cost next to nothing."""

from __future__ import annotations

import json
import subprocess
import sys

PARSE = """
import json, sys, time
import airflow
from airflow.dag_processing.dagbag import DagBag
began_wall, began_cpu = time.perf_counter(), time.process_time()
bag = DagBag({dags!r})
spent = min(time.perf_counter() - began_wall, time.process_time() - began_cpu)
told = {{"seconds": spent, "dags": len(bag.dags), "errors": bag.import_errors, "modules": sorted(sys.modules)}}
print(json.dumps(told))
"""
HEAVY = {"pandas", "great_expectations", "duckdb", "deltalake", "pyarrow", "numpy", "sqlglot", "dti.flow", "openpyxl"}


def test_parsing_all_dag_files_is_cheap_and_imports_nothing_heavy(request):
    dags = str(request.config.rootpath / "dags")
    done = subprocess.run(
        [sys.executable, "-c", PARSE.format(dags=dags)], capture_output=True, text=True, check=True, timeout=120
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["errors"] == {}
    assert told["dags"] == 11
    assert HEAVY & set(told["modules"]) == set()
    assert told["seconds"] < 0.5
