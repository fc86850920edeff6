"""Fixtures of the sources' tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer

from dti.sources.credentials import Credentials
from dti.sources.model import Source
from dti.sources.pull import PullStats
from dti.sources.read import read
from dti.sources.spec import parse_source
from tests.unit.sources.agency import DOSSIERS, KEY, WINDOW, Agency


@pytest.fixture
def agency(httpserver: HTTPServer) -> Agency:
    """An agency at ``/dossiers`` with no record yet."""
    agency = Agency()
    httpserver.expect_request("/dossiers").respond_with_handler(agency.handle)
    return agency


@pytest.fixture
def rest_source(httpserver: HTTPServer) -> Callable[..., Source]:
    """Builds a source of the agency; arguments go into its connector, ``top`` beside it."""

    def build(top: dict[str, Any] | None = None, **connector: Any) -> Source:
        settings: dict[str, Any] = {
            "type": "rest",
            "address": httpserver.url_for("/dossiers"),
            "timeout_seconds": 2,
            "retries": 2,
            "max_wait_seconds": 2,
            "paging": {"style": "keyset", "size": 3},
        }
        if connector.get("paging", settings["paging"])["style"] == "keyset":
            settings["change_time"] = {"since_param": "since", "field": "CapNhat"}
        return parse_source(
            yaml.safe_dump(DOSSIERS | {"connector": settings | connector} | (top or {})), "dossiers.yml", {}
        )

    return build


@pytest.fixture
def pull() -> Callable[..., tuple[list[dict[str, str | None]], PullStats]]:
    """Pulls a source to its end: rows and stats."""

    def run(
        source: Source, credentials: Credentials | None = None, **given: Any
    ) -> tuple[list[dict[str, str | None]], PullStats]:
        stats = PullStats()
        return list(read(source, given.pop("window", WINDOW), credentials, KEY, stats, **given)), stats

    return run
