"""Old files: Data Docs beyond their nights, and logs of tasks."""

from __future__ import annotations

import time
from pathlib import Path

from dti import datadocs
from dti.maintenance.model import Tidied, size_of
from dti.settings import Settings
from dti.store import store_of

DAY_SECONDS = 86_400


def data_docs(settings: Settings, dry_run: bool) -> Tidied:
    """Remove the pages of nights beyond the newest ``quality_docs_nights``."""
    store, folders = store_of(settings), datadocs.beyond_kept(settings)
    freed = sum(sum(store.below(folder).values()) for folder in folders)
    if not dry_run:
        for folder in folders:
            store.remove_folder(folder)
    return Tidied("data docs", len(folders), freed, f"nights beyond the newest {settings.quality_docs_nights}")


def logs(settings: Settings, dry_run: bool) -> Tidied:
    """Remove Airflow's log files that nobody has written to for ``log_days``, and folders that are empty by then."""
    home = settings.local_dir / "airflow" / "logs"
    before = time.time() - settings.log_days * DAY_SECONDS
    old = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink() and _written(path) < before]
    freed = sum(map(size_of, old))
    if not dry_run:
        for path in old:
            path.unlink(missing_ok=True)
        for folder in sorted((path for path in home.rglob("*") if path.is_dir()), reverse=True):
            # A folder that is empty but new is a task's that is about to write.
            if not any(folder.iterdir()) and _written(folder) < time.time() - DAY_SECONDS:
                folder.rmdir()
    return Tidied("logs", len(old), freed, f"files of airflow/logs not written to for {settings.log_days} days")


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
