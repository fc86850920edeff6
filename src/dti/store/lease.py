"""One holder at a time where no disk is shared: an object that says who holds it, renewed while it is held.

It is taken by put-if-absent, and from a dead holder by a put on condition that nobody was faster. Nobody's clock is
compared with anybody else's: a lease is dead when it stayed the same, as seen by one waiter, for as long as it says.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dti import clock
from dti.store.bucket import BucketStore
from dti.store.errors import AlreadyThere, StoreError

_LOOK_SECONDS = 0.5
_FREE = "nobody"


class Lease:
    """A lease that is held; ``require`` says whether it still is."""

    def __init__(self, store: BucketStore, name: str, seconds: float, content: bytes) -> None:
        self._store, self._name, self._seconds, self._content = store, name, seconds, content
        self._lost: StoreError | None = None
        self._one, self._ended = threading.Lock(), threading.Event()
        self._renewer = threading.Thread(target=self._keep, name=f"lease of {name}", daemon=True)
        self._renewer.start()

    def require(self) -> None:
        """Renew it now. Raises StoreError when somebody took it: this process was silent for too long."""
        with self._one:
            if self._lost is None:
                self._renew()
            if self._lost is not None:
                raise self._lost

    def end(self) -> None:
        """Leave it to whoever comes next."""
        self._ended.set()
        self._renewer.join()
        with self._one:
            if self._lost is None:
                with suppress(StoreError):  # the store is away: it will be over by itself
                    self._write(_body(_FREE, self._seconds))

    def _keep(self) -> None:
        while not self._ended.wait(self._seconds / 3):
            with self._one:
                if self._lost is not None:
                    return
                try:
                    self._renew()
                except StoreError:  # the store is away: it may be back before the lease is over
                    continue

    def _renew(self) -> None:
        self._write(_body(json.loads(self._content)["holder"], self._seconds))

    def _write(self, content: bytes) -> None:
        found = b""
        try:
            found, tag = self._store.read_tagged(self._name)
            if found != self._content:
                raise AlreadyThere("taken", where=self._name)
            self._store.swap(self._name, content, tag)
        except (AlreadyThere, FileNotFoundError):
            self._lost = StoreError(
                f"its lease was taken by {_holder(found)} while this process was silent",
                where=self._store.where(self._name),
                remedy="repeat the step; if it happens again, set DTI_STORE_LEASE_SECONDS higher",
            )
            return
        self._content = content


@contextmanager
def leased(store: BucketStore, name: str, *, seconds: float, patience_seconds: float) -> Iterator[Lease]:
    """Hold the lease ``name`` for the block. Raises StoreError, naming the holder, when it is not given up in time."""
    lease = Lease(store, name, seconds, _taken(store, name, seconds, patience_seconds))
    try:
        yield lease
    finally:
        lease.end()


def _taken(store: BucketStore, name: str, seconds: float, patience_seconds: float) -> bytes:
    me = f"process {os.getpid()} on {socket.gethostname()}"
    deadline = time.monotonic() + patience_seconds
    seen, since = b"", 0.0
    while True:
        mine = _body(me, seconds)
        try:
            try:
                found, tag = store.read_tagged(name)
            except FileNotFoundError:
                store.create(name, mine)
                _require_conditions(store, name)
                return mine
            if found != seen:
                seen, since = found, time.monotonic()
            if _holder(found) == _FREE or time.monotonic() - since > _seconds(found, seconds):
                store.swap(name, mine, tag)
                return mine
        except AlreadyThere:  # somebody was faster
            found = b""
        if time.monotonic() > deadline:
            raise StoreError(
                f"{_holder(found or seen)} is at it, and has been for {patience_seconds:.0f} s",
                where=store.where(name),
                remedy="see what it waits for, end it if it hangs, then repeat the step",
            )
        time.sleep(min(_LOOK_SECONDS, seconds / 4))


def _require_conditions(store: BucketStore, name: str) -> None:
    """Raise StoreError when the store writes over what is there although it was told not to: nothing is safe in it."""
    try:
        store.create(name, _body(_FREE, 0))
    except AlreadyThere:
        return
    raise StoreError(
        "the store overwrites what it was told not to (If-None-Match)",
        where=f"{store.where(name)} at {store.endpoint}",
        remedy="take a store that writes on condition; see docs/object-store.md",
    )


def _body(holder: str, seconds: float) -> bytes:
    said = {
        "holder": holder,
        "seconds": seconds,
        "at": clock.now().isoformat(),
        "mark": uuid.uuid4().hex,
    }
    return json.dumps(said).encode()


def _holder(content: bytes) -> str:
    try:
        return str(json.loads(content)["holder"])
    except (ValueError, KeyError, TypeError):
        return "?"


def _seconds(content: bytes, default: float) -> float:
    try:
        return max(float(json.loads(content)["seconds"]), 0.0)
    except (ValueError, KeyError, TypeError):
        return default
