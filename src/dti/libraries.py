"""Libraries whose import takes seconds, imported so that it is done once, quietly, and in time."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any

HEAVY = (
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "duckdb",
    "deltalake",
    "openlineage.client",
    "psycopg",
    "pydantic",
    "requests",
    "sqlalchemy.dialects.postgresql",
    "sqlglot",
    "yaml",
)
"""What the steps of a night import besides Great Expectations. Others' code only: ours is read afresh by each task."""


@lru_cache(maxsize=1)
def great_expectations() -> Any:
    """The library, imported once a process, quietly, and without PySpark.

    It imports PySpark wherever that is installed, though frames are pandas' here: seconds for nothing, and in a
    process without a main file PySpark 4.3 then ends the process, silently and with status 0.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with _hidden("pyspark"):
        import great_expectations

    return great_expectations


def import_all() -> None:
    """Import everything heavy, as a process does that forks the processes of tasks: they have it for nothing."""
    for name in HEAVY:
        import_module(name)
    great_expectations()


@contextmanager
def _hidden(package: str) -> Iterator[None]:
    """While it lasts, ``package`` cannot be imported; what of it was imported before is there again afterwards."""
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == package}
    sys.modules.update(dict.fromkeys([*before, package]))  # type: ignore[arg-type] # None hides a module
    try:
        yield
    finally:
        del sys.modules[package]
        sys.modules.update(before)
