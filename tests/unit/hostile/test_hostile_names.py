"""An id is a name: what would be a path, or names something else than it seems to, is refused by its looks."""

from __future__ import annotations

import pytest
import yaml

from dti.annual.bundle import verify
from dti.datadocs import page
from dti.errors import ConfigError, DtiError
from dti.quarantine import release_rows
from dti.settings import Settings
from dti.sources.spec import load_source, parse_source
from tests.unit.sources.test_tabular import source

NO_NAMES = (
    "../../secrets",
    "a/b",
    "a\\b",
    "..",
    ".",
    "/etc/passwd",
    "a\x00b",
    "a\n",
    "a b",
    "A",
    "ｓｏ",
    "а",
    "",
    "x" * 81,
)
"""Paths, what ends a line or cannot be seen, capitals, letters that only look like a-z, nothing, and too much."""


@pytest.mark.parametrize("name", NO_NAMES)
def test_an_id_is_a_name_and_no_path(name: str, settings: Settings) -> None:
    document = source().model_dump(mode="json", exclude_defaults=True) | {"source": name}
    with pytest.raises(ConfigError, match="source"):
        parse_source(yaml.safe_dump(document), "staff.yml", {})
    with pytest.raises(ConfigError, match="no such enabled source"):
        load_source(name, settings.sources_dir)
    assert page(name, "staffing", settings) is None
    assert page("2026-06-30", name, settings) is None


def test_a_publication_or_batch_of_no_such_name_is_refused(warehouse: Settings) -> None:
    for name in NO_NAMES:
        if "\x00" in name:  # no command line can hold it
            continue
        with pytest.raises(DtiError):
            verify(name, settings=warehouse)
        with pytest.raises(DtiError):
            release_rows(name, rows="1", rules=[], by="Trần Thị Bình", reason="12/CV", settings=warehouse)
