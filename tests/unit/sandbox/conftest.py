"""One running sandbox for the tests that do not change it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.sandbox.served import Served, serving


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One sandbox for all tests that do not change it; its clock stands at two in the morning of 1 July 2026."""
    yield from serving(tmp_path_factory.mktemp("sandbox"))
