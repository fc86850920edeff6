"""Files of the staging folder: quarantined lines as they are found, and rows taken back from a passed file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dti.gate.schema import QUARANTINE_SCHEMA

WHOLE_BATCH = -1


class Quarantine:
    """Writes ``quarantine.parquet`` line by line as parts are judged; the file exists once there is a line."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, 0
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the file; no line can follow."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def add(self, lines: pa.Table) -> None:
        """Append lines of ``QUARANTINE_SCHEMA``."""
        if not lines.num_rows:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, QUARANTINE_SCHEMA, compression="zstd")
        self._writer.write_table(lines)
        self.rows += lines.num_rows


def write_whole_batch(path: Path, batch_id: str, rules: Sequence[str], reason: str) -> None:
    """Replace the quarantine by the one line that stands for every row of a stopped batch."""
    line = [WHOLE_BATCH, "", batch_id, rules[0], " ".join(rules), "critical", reason, "{}"]
    pq.write_table(pa.table([[value] for value in line], schema=QUARANTINE_SCHEMA), path)


def take_back(path: Path, positions: Sequence[int]) -> int:
    """Remove the rows at ``positions`` from a passed file, by rename; returns the rows left (none: no file)."""
    table = pq.read_table(path)
    stays = np.ones(table.num_rows, dtype=bool)
    stays[list(positions)] = False
    left = table.filter(pa.array(stays))
    if not left.num_rows:
        path.unlink()
        return 0
    draft = path.with_suffix(".tmp")
    pq.write_table(left, draft, compression="zstd")
    draft.replace(path)
    return int(left.num_rows)
