"""Staging: what the gate made of each batch, until the lake and the warehouse have it. Can be rebuilt from landing.

On a disk the gate writes in place. For an object store it writes in scratch, and sends what is whole, the verdict last.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dti.gate.errors import GateError
from dti.gate.verdict import Verdict
from dti.settings import Settings
from dti.store import scratch, store_of

STAGING, VERDICT_FILE = "staging", "verdict.json"


def staging_folder(batch_id: str, settings: Settings) -> Path:
    """Where on this machine's disk the gate writes what it makes of one batch."""
    return settings.staging_dir / batch_id


@contextmanager
def bench_folder(batch_id: str, settings: Settings) -> Iterator[Path]:
    """The folder in which the gate works, with nothing in it; what an earlier call left of the batch is gone.

    Its verdict goes first, so that a kill in between leaves none behind.
    """
    if settings.store_url is None:
        folder = staging_folder(batch_id, settings)
        (folder / VERDICT_FILE).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield folder
        return
    store, verdict = store_of(settings), f"{STAGING}/{batch_id}/{VERDICT_FILE}"
    store.remove([verdict])
    store.remove_folder(f"{STAGING}/{batch_id}")
    with scratch(settings) as folder:
        yield folder


def save_verdict(verdict: Verdict, settings: Settings) -> Verdict:
    """Write ``verdict.json``, last of all files and whole, so that it exists only when the rest is there; what stands.

    In an object store the files are sent before it, and the verdict names them as they are called there.
    """
    if settings.store_url is None:
        target = staging_folder(verdict.batch_id, settings) / VERDICT_FILE
        draft = target.with_suffix(".tmp")
        with draft.open("w", encoding="utf-8") as file:
            file.write(verdict.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        return verdict
    from dti.store.bucket import bucket_of

    store = bucket_of(settings)
    for path in map(Path, _files(verdict)):
        store.upload(f"{STAGING}/{verdict.batch_id}/{path.name}", path)
    verdict = _with_files(verdict, lambda path: Path(path).name)
    store.replace(f"{STAGING}/{verdict.batch_id}/{VERDICT_FILE}", verdict.model_dump_json(indent=1).encode())
    return verdict


def load_verdict(batch_id: str, *, settings: Settings) -> Verdict | None:
    """The verdict over a batch, or None while there is none (not judged yet, or killed while being judged)."""
    try:
        return Verdict.model_validate_json(store_of(settings).read(f"{STAGING}/{batch_id}/{VERDICT_FILE}"))
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextmanager
def at_hand(verdict: Verdict, settings: Settings) -> Iterator[Verdict]:
    """The verdict with its files as files of this machine, for the block. Raises GateError when one of them is gone."""
    if settings.store_url is None:
        yield verdict
        return
    names = [f"{STAGING}/{verdict.batch_id}/{file}" for file in _files(verdict)]
    with ExitStack() as held:
        try:
            paths = held.enter_context(store_of(settings).at_hand(names))
        except FileNotFoundError as fault:
            raise GateError(
                "what the gate passed is gone", where=str(fault), remedy="remove that folder and judge the batch again"
            ) from None
        local = dict(zip(_files(verdict), map(str, paths), strict=True))
        yield _with_files(verdict, local.__getitem__)


def clear(batch_ids: Container[str], settings: Settings) -> None:
    """Remove what was set aside for these batches, also what a killed process left behind."""
    for batch_id in store_of(settings).folders(STAGING):
        if batch_id in batch_ids:
            store_of(settings).remove_folder(f"{STAGING}/{batch_id}")


def _files(verdict: Verdict) -> list[str]:
    return [*verdict.passed_files, *([verdict.quarantine_file] if verdict.quarantine_file else [])]


def _with_files(verdict: Verdict, renamed: Callable[[str], str]) -> Verdict:
    return verdict.model_copy(
        update={
            "passed_files": [renamed(file) for file in verdict.passed_files],
            "quarantine_file": verdict.quarantine_file and renamed(verdict.quarantine_file),
        }
    )
