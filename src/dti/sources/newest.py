"""One row a record, though lists are read more than once while they move: the newest reading wins.

Rows stream through a spool (in memory while small, else an unnamed temporary file; personal data is gone by now), so
that a row already passed can still be withdrawn when a newer one follows. Eight bytes a row stay in memory, and the
rows whose key came more than once.
"""

from __future__ import annotations

import pickle
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO

from dti.feeds import Contract
from dti.sources.mapping import Row
from dti.sources.pull import PullStats

_BLOCK = 2_000
_IN_MEMORY = 64 * 1024 * 1024

Reading = tuple[Row, int]


def newest(rows: Iterable[Reading], contract: Contract, stats: PullStats) -> Iterator[Row]:
    """Pass on ``rows`` in order, given as (row, reading), with these left out:

    - of rows with one key, all but those of the newest ``version_column``, then of the latest reading;
    - exact repetitions (apart from their place), counted in ``stats.warnings`` when the agency sent them at once.

    Different rows with one key and nothing to tell which is newer are all passed on: the gate decides. So are rows
    whose key or version is missing or unreadable.
    """
    identity = _Identity(contract)
    hashes = array("q")
    with closing(SpooledTemporaryFile(max_size=_IN_MEMORY)) as spool:
        block: list[Reading] = []
        for row, reading in rows:
            hashes.append(hash(identity.key(row) or row[:-1]))
            block.append((row, reading))
            if len(block) == _BLOCK:
                _write(spool, block)
                block = []
        _write(spool, block)
        dropped = _dropped(spool, hashes, identity, stats)
        for position, (row, _) in enumerate(_read(spool)):
            if position not in dropped:
                yield row


class _Identity:
    """Key and version of a row, by position."""

    def __init__(self, contract: Contract) -> None:
        columns = contract.landed_columns
        days = {c.day_column: name for name, c in contract.columns.items() if c.day_column}
        names = ["unit" if name == "unit_id" else days.get(name, name) for name in contract.key]
        self._key = [columns.index(name) for name in names]
        version = contract.version_column
        self._version = None if version is None else columns.index(version)
        self._is_time = version is not None and contract.columns[version].type in {"timestamptz", "date"}

    def key(self, row: Row) -> Row | None:
        """The key's texts; None when a part is missing."""
        key = tuple([row[i] for i in self._key])
        return None if None in key else key

    def version(self, row: Row) -> float | None:
        """The version as a number that orders; 0 for a feed without one; None when it cannot be read."""
        if self._version is None:
            return 0
        try:
            text = row[self._version] or ""
            return datetime.fromisoformat(text).timestamp() if self._is_time else float(text)
        except ValueError:
            return None


def _dropped(spool: IO[bytes], hashes: array[int], identity: _Identity, stats: PullStats) -> set[int]:
    """Positions of the rows that are not passed on."""
    suspects = _repeated(hashes)
    if not suspects:
        return set()
    groups: dict[Row, list[tuple[int, int, Row]]] = defaultdict(list)
    for position, (row, reading) in enumerate(_read(spool)):
        if hashes[position] in suspects:
            groups[identity.key(row) or row[:-1]].append((position, reading, row))
    dropped: set[int] = set()
    repetitions = 0
    for group in groups.values():
        ranks = {p: (v, reading) for p, reading, row in group if (v := identity.version(row)) is not None}
        best = max(ranks.values(), default=None)
        kept: dict[Row, int] = {}
        for position, reading, row in group:
            if identity.key(row) is not None and position in ranks and ranks[position] != best:
                dropped.add(position)
            elif row[:-1] in kept:
                dropped.add(position)
                repetitions += kept[row[:-1]] == reading
            else:
                kept[row[:-1]] = reading
    if repetitions:
        stats.warn(f"{repetitions} exact repetition(s) of a record dropped")
    return dropped


def _repeated(hashes: array[int]) -> set[int]:
    """The values that stand in ``hashes`` more than once."""
    import numpy as np

    ordered = np.sort(np.frombuffer(hashes, dtype=np.int64))
    return set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())


def _write(spool: IO[bytes], block: list[Reading]) -> None:
    pickle.dump(block, spool, protocol=pickle.HIGHEST_PROTOCOL)


def _read(spool: IO[bytes]) -> Iterator[Reading]:
    spool.seek(0)
    while True:
        try:
            yield from pickle.load(spool)  # noqa: S301 - see the import  # nosec B301
        except EOFError:
            return
