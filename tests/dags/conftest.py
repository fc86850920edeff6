"""The DAGs as Airflow sees them: parsed by its own DagBag, on a migrated metadata database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from dti.settings import get_settings

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

REPOSITORY = Path(__file__).resolve().parents[2]
AGENCIES = {
    # source id: (feed, pool, enabled)
    "alpha-portal": ("online_services", "agency_alpha", "true"),
    "beta-portal": ("online_services", "agency_beta", "true"),
    "beta-archive": ("online_services", "agency_beta", "true"),
    "retired-portal": ("online_services", "agency_retired", "false"),
    "alpha-staff": ("staffing", "agency_alpha", "true"),
}


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Settings and Airflow as these variables say, and as they were before on leaving."""
    with patch.dict(os.environ, variables):
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of an installation as ``make run`` makes it, whose agencies are those above."""
    home, project = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("project")
    sources = project / "include" / "sources"
    sources.mkdir(parents=True)
    for shared in ("feeds", "frameworks", "reference", "annual"):
        (project / "include" / shared).symlink_to(REPOSITORY / "include" / shared)
    (project / "dags").symlink_to(REPOSITORY / "dags")
    for source_id, (feed, pool, enabled) in AGENCIES.items():
        text = f"source: {source_id}\nfeed: {feed}\npool: {pool}\nenabled: {enabled}\n"
        (sources / f"{source_id}.yml").write_text(text, "utf-8")

    from dti.warehouse import embedded
    from dti_airflow.environment import airflow_environment
    from dti_airflow.metadata import prepare_metadata

    variables = {"DTI_HOME": str(home), "DTI_PROJECT": str(project), "DTI_RETRY_SECONDS": "0"}
    with environment(variables):
        embedded.ensure_running(get_settings())
        variables |= airflow_environment(get_settings())
        prepare_metadata(get_settings())
    yield variables
    with environment(variables):
        embedded.stop(get_settings())


@pytest.fixture(autouse=True)
def _inside(installation: dict[str, str]) -> Iterator[None]:
    """Every test here runs in that installation. Airflow reads its folders when first imported: import it in tests."""
    with environment(installation):
        yield


@pytest.fixture(scope="session")
def bag(installation: dict[str, str]) -> DagBag:
    """All DAG files, parsed once."""
    with environment(installation):
        from airflow.dag_processing.dagbag import DagBag

        return DagBag(str(REPOSITORY / "dags"))
