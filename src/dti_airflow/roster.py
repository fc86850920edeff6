"""Which sources a feed has, and in which pool each is pulled.

DAG files are parsed every minute and must not fail because one agency's file is broken. So this reads the three
keys it needs line by line, without YAML or the source schema: a broken file still gets its own mapped task, and
that task fails with the full explanation while all others go on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dti.settings import get_settings

DEFAULT_POOL = "agency_default"
_KEY = re.compile(r"^(feed|pool|enabled):[ \t]*[\"']?([A-Za-z0-9_]+)", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """One enabled source file: the source's id, the feed it fills and the pool of its agency."""

    source_id: str
    feed: str
    pool: str


def roster(feed: str | None = None, sources_dir: Path | None = None) -> list[Entry]:
    """Enabled sources of one feed, or of all, by id. A file without a readable ``feed:`` line is in nobody's list."""
    found = []
    for path in (sources_dir or get_settings().sources_dir).rglob("*.yml"):
        keys = dict(_KEY.findall(path.read_text("utf-8", errors="replace")))
        if "feed" in keys and keys.get("enabled", "true").lower() != "false":
            found.append(Entry(path.stem, keys["feed"], keys.get("pool", DEFAULT_POOL)))
    return sorted((entry for entry in found if feed in (None, entry.feed)), key=lambda entry: entry.source_id)


def pools(feed: str | None = None, sources_dir: Path | None = None) -> list[str]:
    """The pools those sources are pulled in, sorted."""
    return sorted({entry.pool for entry in roster(feed, sources_dir)})
