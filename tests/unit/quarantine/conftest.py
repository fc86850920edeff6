"""A warehouse with two agencies that drop CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dti.settings import Settings, get_settings
from tests.builders import dropping


@pytest.fixture
def agencies(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings whose sources are those of ``dropping`` and no others."""
    dropping.describe(warehouse, tmp_path / "sources")
    with monkeypatch.context() as patch:
        patch.setenv("DTI_SOURCES", str(tmp_path / "sources"))
        get_settings.cache_clear()
        yield get_settings()
    get_settings.cache_clear()
