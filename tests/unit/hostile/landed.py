"""One pull of a source into a landing zone of its own, and what must hold of whatever landed."""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow.parquet as pq

from dti.landing import ledger
from dti.landing.batch import Manifest
from dti.settings import Settings
from dti.sources.model import Source
from dti.sources.window import Window
from tests.unit.hostile.profiles import told

_numbers = itertools.count()


def landed(source: Source, window: Window, settings: Settings, drop: Path | None = None) -> Manifest | None:
    """Pull and land ``source``; None when that was refused with an error that names it, and is on record.

    Rows that landed are text or nothing, each with its place, and as many as the manifest says.
    """
    home = settings.home_dir / str(next(_numbers))
    home.mkdir()
    if drop is not None:
        (home / "drop").symlink_to(drop)
    here = settings.model_copy(update={"home": home})
    manifest: Manifest | None = told(lambda: ledger.land(source, window, None, settings=here), source.source)
    (recorded,) = ledger.manifests(here)
    if manifest is None:
        assert recorded.outcome == "failed"
        assert recorded.fault is not None
        assert recorded.rows == 0
        assert recorded.parts == []
        return None
    assert recorded == manifest
    ledger.verify(manifest, here)
    rows = [row for path in ledger.part_paths(manifest, here) for row in pq.read_table(path).to_pylist()]
    assert len(rows) == manifest.rows
    for row in rows:
        assert row["source_row"], row
        for text in row.values():
            assert text is None or ("\x00" not in text and text == text.strip() and text), row
    return manifest
