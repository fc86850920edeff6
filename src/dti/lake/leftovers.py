"""What a killed merge leaves in a table's folder: files that no version names. Nothing reads them; here they go."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from dti.lake.table import open_table, table_name
from dti.settings import Settings
from dti.store import store_of

_LOG = "_delta_log"


def sweep(feed: str, *, settings: Settings) -> list[str]:
    """Remove files of a feed's table that none of its versions has ever named, and return their names, sorted.

    Files of older versions stay. The caller holds the feed, see ``dti.warehouse.alone``: what another process is just
    writing is named by no version either.
    """
    if settings.store_url is not None:
        return _sweep_store(feed, settings)
    folder = settings.lake_dir / feed
    if not folder.exists():
        return []
    drafts = [path for path in (folder / _LOG).glob("*") if path.is_file() and "#" in path.name]
    left = drafts + _unnamed(feed, folder, settings)
    for path in left:
        path.unlink(missing_ok=True)
    return sorted(str(path.relative_to(folder)) for path in left)


def _sweep_store(feed: str, settings: Settings) -> list[str]:
    """As ``sweep``, of an object store; the log is read only if the newest version does not name every file."""
    store, folder = store_of(settings), f"{table_name(feed)}/"
    names = list(store.below(table_name(feed)))
    logs = [name for name in names if name.startswith(f"{folder}{_LOG}/") and name.endswith(".json")]
    files = {name for name in names if name.endswith(".parquet") and not name.startswith(f"{folder}{_LOG}/")}
    table = open_table(feed, settings)
    if table is not None and files:
        newest = pa.table(table.get_add_actions(flatten=True))["path"].to_pylist()
        files -= {f"{folder}{name}" for name in newest}
        log = "".join(store.read(name).decode() for name in logs) if files else ""
        files = {name for name in files if name.rpartition("/")[2] not in log}
    store.remove(sorted(files))
    return sorted(name.removeprefix(folder) for name in files)


def _unnamed(feed: str, folder: Path, settings: Settings) -> list[Path]:
    """Data files that stand in no version. The whole log is read only if there are files of no recent version."""
    files = {path for path in folder.rglob("*.parquet") if _LOG not in path.parts}
    table = open_table(feed, settings)
    if table is None or not files:
        return sorted(files)
    newest = pa.table(table.get_add_actions(flatten=True))["path"].to_pylist()
    named = {folder / name for name in newest}
    committed = max(path.stat().st_mtime_ns for path in (folder / _LOG).glob("*.json"))
    if not any(path.stat().st_mtime_ns > committed for path in files - named):
        return []
    log = "".join(path.read_text("utf-8") for path in sorted((folder / _LOG).glob("*.json")))
    return sorted(path for path in files - named if path.name not in log)
