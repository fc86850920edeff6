"""A desk with a prepared warehouse, on one transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dti.settings import Settings
from dti.warehouse.connect import engine
from tests.builders.candidates import Desk


@pytest.fixture
def desk(warehouse: Settings) -> Iterator[Desk]:
    """Runs, requests and publications of which nothing stays."""
    with engine(warehouse, "loader").connect() as connection:
        yield Desk(connection, warehouse)
        connection.rollback()
