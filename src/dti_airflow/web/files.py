"""Which files are shown: reports of requests and bundles of publications, and nothing else of this machine."""

from __future__ import annotations

import re
from pathlib import Path

from dti.settings import Settings
from dti.store import store_of

PUBLISHED, SUMS = "published", "SHA256SUMS"
"""As ``dti.annual.bundle`` has them, which takes long to import."""
REQUEST_FILES = {"report.html": "text/html; charset=utf-8", "difference.json": "application/json"}
"""The files of a request, and what they are."""

_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".txt": "text/plain; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_REQUEST = re.compile(r"[0-9]{4}-r[0-9]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def request_file(settings: Settings, request_id: str, name: str) -> bytes | None:
    """A file of a request; None when there is no such request or file."""
    if not _REQUEST.fullmatch(request_id) or name not in REQUEST_FILES:
        return None
    return _content(settings, f"annual/{request_id}", name)


def bundle_file(settings: Settings, publication_id: str, name: str) -> bytes | None:
    """A file of a publication's bundle, ``name`` relative to it; None when there is no such publication or file."""
    if not _NAME.fullmatch(publication_id) or not all(_NAME.fullmatch(part) for part in name.split("/")):
        return None
    return _content(settings, f"{PUBLISHED}/{publication_id}", name)


def bundle_sizes(settings: Settings, publication_id: str) -> list[tuple[str, int]] | None:
    """Names and sizes of the files of a publication's bundle, sorted; None when there is none."""
    if not _NAME.fullmatch(publication_id):
        return None
    folder = f"{PUBLISHED}/{publication_id}"
    sizes = store_of(settings).below(folder)
    if f"{folder}/{SUMS}" not in sizes:  # comes last: there is no bundle before it
        return None
    return [(name.removeprefix(f"{folder}/"), size) for name, size in sizes.items()]


def with_report(settings: Settings) -> set[str]:
    """Ids of the requests that have a report."""
    return {name.split("/")[1] for name in store_of(settings).find("annual/*/report.html")}


def with_bundle(settings: Settings) -> set[str]:
    """Ids of the publications that have a bundle."""
    found = {name.split("/")[1] for name in store_of(settings).find(f"{PUBLISHED}/*/{SUMS}")}
    return {name for name in found if _NAME.fullmatch(name)}


def media_type(name: str) -> str:
    """The content type of a file, by its ending."""
    return _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")


def _content(settings: Settings, folder: str, name: str) -> bytes | None:
    """The file, when it is one and really lies in ``folder``: a symbolic link out of it is not followed."""
    store = store_of(settings)
    return store.read(f"{folder}/{name}") if f"{folder}/{name}" in store.below(folder) else None
