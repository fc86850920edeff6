"""``python -m dti_airflow.warm scheduler``: a command of Airflow's, in a process that has imported what tasks need.

Airflow forks the process of each task from the scheduler (LocalExecutor) or from a Celery worker. What the parent has
imported by then a task has for nothing, in shared memory; what it has not, every task imports anew: some six seconds of
a core in each gate. Code of our own is not imported ahead, so that tasks run it as it stands on the disk.
"""

from __future__ import annotations

import runpy
import sys

from dti.libraries import import_all


def main() -> None:
    """Import, then be ``airflow`` with the arguments given."""
    import_all()
    sys.argv[0] = "airflow"
    runpy.run_module("airflow", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
