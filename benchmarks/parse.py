"""What each DAG file costs to parse, beyond what Airflow's own import costs.

    uv run python -m benchmarks.parse --json parse.json

Each round is a process of its own for each file: it imports Airflow (shown as start-up), then parses the file as the
dag-processor does. ``import airflow`` is the floor: a DAG file that holds one empty DAG. ``all`` is the whole folder in
one process, where what the files share is imported once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring import Given, head, in_turn, parser, publish, rows_of, scratch, serve

DAGS = Path(__file__).parents[1] / "dags"
FLOOR = "one empty DAG"
EMPTY = "from airflow.sdk import DAG\n\nwith DAG('empty'):\n    pass\n"


def parsing(given: Given) -> Callable[[], Any]:
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "false"
    import airflow.sdk  # noqa: F401 - what Airflow itself costs is start-up
    from airflow.dag_processing.dagbag import DagBag

    def work() -> Any:
        bag = DagBag(given["path"])
        if bag.import_errors:
            raise SystemExit(str(bag.import_errors))
        return len(bag.dags) if given["check"] else None

    return work


CONTENDERS = {FLOOR: parsing, **{path.stem: parsing for path in sorted(DAGS.glob("*.py"))}, "all": parsing}


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--files", default=",".join(CONTENDERS), help="names of DAG files, separated by commas")
    asked = arguments.parse_args()
    names = asked.files.split(",")
    with scratch() as folder:
        (folder / "empty.py").write_text(EMPTY, "utf-8")
        own = {name: {"path": str(DAGS if name == "all" else DAGS / f"{name}.py")} for name in names}
        own[FLOOR] = {"path": str(folder / "empty.py")}
        environment = {"DTI_HOME": str(folder), "AIRFLOW_HOME": str(folder / "airflow")}
        given = {"title": "parse", "own": own, "env": environment, "compare": False}
        taken = in_turn("benchmarks.parse", names, given, asked.repeats)
    publish([*head("file", ""), *rows_of("", taken, FLOOR)], taken, asked.json)


if __name__ == "__main__":
    serve(CONTENDERS)
    main()
