"""The steps in the order they are done: tables last, since the others leave dead rows."""

from __future__ import annotations

from dti.maintenance import files, lakes, landing, metadata, runs, tables
from dti.maintenance.model import Step

STEPS: dict[str, Step] = {
    "airflow": metadata.clean,
    "data_docs": files.data_docs,
    "logs": files.logs,
    "landing": landing.archive,
    "lake": lakes.vacuum,
    "runs": runs.thin,
    "tables": tables.vacuum,
}
"""Name → step. Each is a task of the DAG ``maintain``."""
