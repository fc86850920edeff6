"""The files of a publication: a workbook for people, CSV and Parquet for programs, metadata and checksums.

A bundle is made from the publication alone, through its CSV: the same publication gives the same bytes, with the same
layout and libraries; its CSV and checksum, with any.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pyarrow as pa

from dti.annual import workbook
from dti.annual.canonical import checksum, publication_csv, rows, sums
from dti.annual.model import RequestError
from dti.annual.parquet import parquet
from dti.annual.publication import Publication, get_publication
from dti.annual.tables import TABLES
from dti.settings import Settings
from dti.store import store_of
from dti.warehouse import connect

LAYOUT = 1
"""Counts up when workbook, Parquet or metadata are written differently."""
METADATA, SUMS, PUBLISHED = "metadata.json", "SHA256SUMS", "published"
PATIENCE_SECONDS = 10 * 60.0
"""With another writer of bundles in an object store."""


def bundle_folder(publication_id: str, settings: Settings) -> Path:
    """Where on this machine's disk the bundle of a publication is or will be."""
    return settings.home_dir / PUBLISHED / publication_id


def bundle_name(publication_id: str) -> str:
    """Name below DTI_HOME of the folder of a bundle."""
    return f"{PUBLISHED}/{publication_id}"


def write_bundle(publication_id: str, *, settings: Settings) -> str:
    """Write the bundle of a publication and return where it is; one that is whole stays untouched.

    It is written beside, flushed to disk and renamed, so that a kill leaves no half of it; in an object store its list
    of checksums comes last, and it is no bundle before that. One that was damaged is set aside. Raises RequestError if
    there is no such publication, or its rows are not what was published.
    """
    publication = get_publication(publication_id, settings=settings)
    files = bundle_files(publication, settings)
    if settings.store_url is None:
        _write_folder(publication_id, files, settings)
    else:
        _send(publication_id, files, settings)
    return store_of(settings).where(bundle_name(publication_id))


def _write_folder(publication_id: str, files: dict[str, bytes], settings: Settings) -> None:
    folder = bundle_folder(publication_id, settings)
    with _alone(folder.parent):
        for left in folder.parent.glob(f".new.{publication_id}.*"):
            shutil.rmtree(left)
        if folder.exists():
            if not _faults(publication_id, files, settings):
                return
            _set_aside(folder)
        draft = Path(tempfile.mkdtemp(prefix=f".new.{publication_id}.", dir=folder.parent))
        for name, content in files.items():
            _write(draft / name, content)
        _into_place(draft, folder)


def _send(publication_id: str, files: dict[str, bytes], settings: Settings) -> None:
    """As ``_write_folder``, to an object store: what has no list of checksums was never whole, and goes."""
    from dti.store.bucket import bucket_of
    from dti.store.lease import leased

    store, name = bucket_of(settings), bundle_name(publication_id)
    lease_seconds = settings.store_lease_seconds
    with leased(store, f"{PUBLISHED}/.lock", seconds=lease_seconds, patience_seconds=PATIENCE_SECONDS) as lease:
        held = store.below(name)
        if held and not _faults(publication_id, files, settings):
            return
        if f"{name}/{SUMS}" in held:
            there = store.folders(PUBLISHED)
            numbers = (number for number in count(1) if f".damaged.{publication_id}.{number}" not in there)
            aside = f"{PUBLISHED}/.damaged.{publication_id}.{next(numbers)}"
            for each in held:
                store.replace(f"{aside}/{each.removeprefix(f'{name}/')}", store.read(each))
        store.remove([f"{name}/{SUMS}"])
        store.remove_folder(name)
        for file in sorted(files, key=lambda file: (file == SUMS, file)):
            lease.require()
            store.replace(f"{name}/{file}", files[file])


def verify(publication_id: str, *, settings: Settings) -> list[str]:
    """What is wrong with a publication and its bundle, in words; nothing when both are as they were published.

    The rows of the database are compared with the stored checksum, the files with what is made of those rows. Workbook
    and Parquet made by another version of our libraries are compared with the bundle's own checksums only.
    """
    publication = get_publication(publication_id, settings=settings)
    try:
        files = bundle_files(publication, settings)
    except RequestError as fault:
        return [str(fault)]
    store, name = store_of(settings), bundle_name(publication_id)
    if publication_id not in store.folders(PUBLISHED):
        return [f"{store.where(name)}: there is no bundle"]
    return _faults(publication_id, files, settings)


def bundle_files(publication: Publication, settings: Settings) -> dict[str, bytes]:
    """File → bytes of a whole bundle. Raises RequestError when the rows do not give the stored checksum."""
    with connect.connect(settings, "loader") as driver:
        tables = publication_csv(_at_one_moment(driver), publication.publication_id)
    if checksum(tables) != publication.checksum:
        raise RequestError(
            f"its rows give the checksum {checksum(tables)}, published was {publication.checksum}",
            where=publication.publication_id,
            remedy="someone changed what is published: restore the database from a backup and verify again",
        )
    held = {table.name: rows(table, tables[table.file]) for table in TABLES}
    files = {
        **tables,
        **{f"parquet/{table.name}.parquet": parquet(table, held[table.name]) for table in TABLES},
        f"{publication.publication_id}.xlsx": workbook.workbook(publication, held),
    }
    files[METADATA] = _metadata(publication, files, {name: len(found) for name, found in held.items()})
    files = {name: files[name] for name in sorted(files)}
    return {**files, SUMS: sums(files).encode()}


def _at_one_moment(driver: psycopg.Connection) -> psycopg.Connection:
    driver.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return driver


def _metadata(publication: Publication, files: dict[str, bytes], counts: dict[str, int]) -> bytes:
    content = {
        "publication": publication.model_dump(mode="json"),
        "rows": counts,
        "files": {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
        "checksum_of": "the lines `<sha256>  csv/<table>.csv` of all CSV files, sorted by name",
        "made_with": made_with(),
    }
    return (json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def made_with() -> dict[str, str | int]:
    """What decides the bytes of a bundle besides the publication itself."""
    return {
        "layout": LAYOUT,
        "pyarrow": pa.__version__,
        "xlsxwriter": workbook.VERSION,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }


def _faults(publication_id: str, wanted: dict[str, bytes], settings: Settings) -> list[str]:
    """How the files of a bundle differ from ``wanted``."""
    store, folder = store_of(settings), bundle_name(publication_id)
    held = {name.removeprefix(f"{folder}/"): store.read(name) for name in store.below(folder)}
    place = store.where(folder)
    faults = [f"{place}/{name}: is missing" for name in wanted.keys() - held.keys()]
    faults += [f"{place}/{name}: does not belong there" for name in held.keys() - wanted.keys()]
    if _made_with(held.get(METADATA, b"")) == made_with():
        differing = [name for name in wanted.keys() & held.keys() if held[name] != wanted[name]]
    else:
        own = {name: content for name, content in sorted(held.items()) if name != SUMS}
        listed = dict(line.split("  ", 1)[::-1] for line in held.get(SUMS, b"").decode().splitlines())
        summed = dict(line.split("  ", 1)[::-1] for line in sums(own).splitlines())
        differing = [name for name in own if listed.get(name) != summed[name]]
        differing += [
            name for name in wanted if name.startswith("csv/") and held.get(name, wanted[name]) != wanted[name]
        ]
    return sorted(faults + [f"{place}/{name}: is not what was published" for name in set(differing)])


def _made_with(metadata: bytes) -> object:
    try:
        return json.loads(metadata)["made_with"]
    except (ValueError, KeyError, TypeError):
        return made_with()


def _set_aside(folder: Path) -> None:
    """Move a damaged bundle out of the way, under a name that no reader takes for a bundle."""
    number = 1
    while (aside := folder.with_name(f".damaged.{folder.name}.{number}")).exists():
        number += 1
    folder.rename(aside)


def _write(path: Path, content: bytes) -> None:
    """Write a file that nobody is meant to change, and see it onto the disk."""
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o444)


def _into_place(draft: Path, folder: Path) -> None:
    """From now on it is a bundle: names and contents are on the disk before it has its name."""
    draft.chmod(0o755)
    for inner in [*(path for path in draft.iterdir() if path.is_dir()), draft]:
        _sync(inner)
    draft.rename(folder)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer at a time; the kernel lets go when the holder dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
