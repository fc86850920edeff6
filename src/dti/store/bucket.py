"""DTI_HOME in a bucket of an object store that speaks S3, by obstore."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from dti.errors import ConfigError
from dti.settings import Settings
from dti.store.credentials import AWS, options
from dti.store.errors import AlreadyThere, StoreError, told
from dti.store.scratch import scratch

FETCHERS = 8
"""Files fetched at once."""
CHUNK_BYTES = 8 * 2**20
RETRIES = 5
LEFT_FREE_BYTES = 2**30
"""Of the disk that scratch is on, never used by what is fetched."""


class BucketStore:
    """Objects below s3://bucket/prefix; see ``dti.store.kind.Store``."""

    def __init__(self, settings: Settings) -> None:
        try:
            import obstore
            from obstore.store import S3Store
        except ImportError:
            raise ConfigError(
                "the parts for an object store are not installed",
                where=f"DTI_HOME={settings.store_url}",
                remedy="install the extra s3: uv sync --extra s3",
            ) from None
        self._settings, self._api = settings, obstore
        parts = urlsplit(str(settings.store_url))
        if not parts.netloc:
            raise ConfigError("names no bucket", where="DTI_HOME", remedy="write it as s3://bucket/prefix")
        self.url = f"s3://{parts.netloc}{parts.path}"
        given = options(settings)
        self.endpoint = given.get("aws_endpoint_url", AWS)
        wait = timedelta(seconds=settings.store_timeout_seconds)
        config: Any = given | {"aws_checksum_algorithm": "sha256"}
        self._client = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options={
                "allow_http": self.endpoint.startswith("http://"),
                "timeout": wait,
                "connect_timeout": "5s",
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": wait},
        )

    def where(self, name: str = "") -> str:
        return f"{self.url}/{name}".rstrip("/")

    def find(self, pattern: str) -> list[str]:
        steps = pattern.split("/")
        fixed = []
        for step in steps[:-1]:
            if "*" in step:
                break
            fixed.append(step)
        names = (name.split("/") for name in self.below("/".join(fixed)))
        return sorted(
            "/".join(each) for each in names if len(each) == len(steps) and all(map(fnmatchcase, each, steps))
        )

    def below(self, folder: str) -> dict[str, int]:
        with told(self.where(folder), self.endpoint):
            found = self._api.list(self._client, prefix=f"{folder}/" if folder else None, chunk_size=1000)
            return {
                each["path"]: each["size"] for each in sorted((e for c in found for e in c), key=lambda e: e["path"])
            }

    def folders(self, folder: str) -> list[str]:
        with told(self.where(folder), self.endpoint):
            found = self._api.list_with_delimiter(self._client, prefix=f"{folder}/")
        return sorted(each.rstrip("/").rpartition("/")[2] for each in found["common_prefixes"])

    def read(self, name: str) -> bytes:
        return self.read_tagged(name)[0]

    def read_tagged(self, name: str) -> tuple[bytes, str]:
        """A file's content and the tag of this state of it."""
        with told(self.where(name), self.endpoint):
            found = self._api.get(self._client, name)
            return bytes(found.bytes()), str(found.meta["e_tag"])

    def replace(self, name: str, content: bytes) -> None:
        with told(self.where(name), self.endpoint):
            self._api.put(self._client, name, content, use_multipart=False)

    def create(self, name: str, content: bytes | Path) -> None:
        """Write a file that is not there. Raises AlreadyThere, and leaves it as it is, when somebody else wrote it."""
        self._put_if(name, content, "create")

    def swap(self, name: str, content: bytes, tag: str) -> None:
        """Write a file in the place of the state that has ``tag``. Raises AlreadyThere when it has another by now."""
        self._put_if(name, content, {"e_tag": tag})

    def upload(self, name: str, path: Path) -> None:
        """Write a file of this machine, whole or not at all, in the place of one that may be there."""
        with told(self.where(name), self.endpoint):
            self._api.put(self._client, name, path)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            try:
                with told(self.where(name), self.endpoint):
                    self._api.delete(self._client, name)
            except FileNotFoundError:
                pass

    def remove_folder(self, folder: str) -> None:
        self.remove(self.below(folder))

    def show_in(self, folder: str, home: Path) -> None:
        self.fetch(list(self.below(folder)), home)

    def fetch(self, names: list[str], folder: Path) -> list[Path]:
        room = _Room(self._settings, folder)
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(min(FETCHERS, len(names) or 1)) as pool:
            return list(pool.map(lambda name: self._fetch(name, folder / name, room), names))

    @contextmanager
    def at_hand(self, names: list[str]) -> Iterator[list[Path]]:
        with scratch(self._settings) as folder:
            yield self.fetch(names, folder)

    def _fetch(self, name: str, path: Path, room: _Room) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with told(self.where(name), self.endpoint):
            found = self._api.get(self._client, name)
            room.take(found.meta["size"], self.where(name))
            with path.open("wb") as file:
                for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                    file.write(chunk)
        if path.stat().st_size != found.meta["size"]:
            raise StoreError("it came only in part", where=self.where(name), remedy="repeat the step")
        return path

    def _put_if(self, name: str, content: bytes | Path, condition: Any) -> None:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            with told(self.where(name), self.endpoint):
                try:
                    self._api.put(self._client, name, content, mode=condition, use_multipart=False)
                except (AlreadyExistsError, PreconditionError):
                    # An answer that got lost is asked for again, and then the store refuses what is ours.
                    ours = content.read_bytes() if isinstance(content, Path) else content
                    if self.read(name) != ours:
                        raise AlreadyThere(
                            "somebody else has written it: it stays as it is",
                            where=self.where(name),
                            remedy="repeat the step: it begins anew with what is there",
                        ) from None
        except FileNotFoundError:  # it was to be swapped, and is gone
            raise AlreadyThere(
                "somebody else has removed it", where=self.where(name), remedy="repeat the step"
            ) from None


class _Room:
    """Room on this machine's disk for what one step fetches."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._most = int(settings.store_scratch_gb * 1e9)
        self._folder, self._taken, self._lock = folder, 0, Lock()

    def take(self, size: int, where: str) -> None:
        """Count ``size`` bytes. Raises StoreError before they are written when they are too many."""
        with self._lock:
            self._taken += size
            taken = self._taken
        if taken > self._most:
            raise StoreError(
                f"one step would fetch more than {self._most / 1e9:g} GB to this machine",
                where=where,
                remedy="set DTI_STORE_SCRATCH_GB to what the disk of DTI_LOCAL can give",
            )
        if size > shutil.disk_usage(self._folder).free - LEFT_FREE_BYTES:
            raise StoreError(
                f"no room to fetch it: {size / 1e9:.1f} GB",
                where=f"{where} to {self._folder}",
                remedy="free space on the disk of DTI_LOCAL, then repeat the step",
            )


@lru_cache(maxsize=4)
def _bucket(settings: Settings, process: int) -> BucketStore:
    return BucketStore(settings)


def bucket_of(settings: Settings) -> BucketStore:
    """The store of these settings; one client a process."""
    return _bucket(settings, os.getpid())
