"""What stands when a run is computed: corrections, reference data, and which batches the facts reflect.

A nightly run takes what stands now. A recomputation as of an earlier moment takes what stood then; either writes down
what it took, so that it can be computed again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, text

from dti.index.corrections import CorrectionSet, load_corrections
from dti.settings import Settings
from dti.warehouse import inputs

METHOD_FOLDERS = ("rollup", "metrics", "index")
"""Folders of ``include/sql`` that turn records into an index."""


@dataclass(frozen=True)
class Known:
    """Which batches of a feed count: those of loads up to a number, or those landed by a moment."""

    load_number: int | None = None
    landed_by: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """``known`` empty and no cut-off: whatever the facts of the night reflect when the run looks at them."""

    corrections: CorrectionSet
    corrections_hash: str | None
    reference_hash: str | None
    data_cut_off: datetime | None = None
    known: dict[str, Known] = field(default_factory=dict)


def standing_now(connection: Connection, settings: Settings) -> Standing:
    """What stands now; the corrections of today are kept, in the caller's transaction. Raises ConfigError."""
    corrections = load_corrections(settings)
    content = [each.model_dump(mode="json") for each in corrections.corrections]
    kept = inputs.keep(connection, "corrections", content)
    return Standing(corrections, kept, inputs.newest(connection, "reference", "reference"))


def note_inputs(connection: Connection, run_id: str, standing: Standing) -> None:
    """Write which batches of each feed the run knows, in its transaction."""
    if standing.known:
        connection.execute(
            text(
                "insert into score.run_input (run_id, feed, load_number, landed_by)"
                " values (:run_id, :feed, :load_number, :landed_by)"
            ),
            [
                {"run_id": run_id, "feed": feed, "load_number": known.load_number, "landed_by": known.landed_by}
                for feed, known in standing.known.items()
            ],
        )
        return
    connection.execute(
        text(
            """
            insert into score.run_input (run_id, feed, load_number, lake_version)
            select :run_id, l.feed, l.load_number, s.version
            from ops.feed_load as l
            left join ops.lake_state as s using (feed)
            """
        ),
        {"run_id": run_id},
    )


def sql_hash(settings: Settings) -> str:
    """sha256 over folder, name and content of every file that turns records into an index, as they stand now."""
    digest = hashlib.sha256()
    for folder in METHOD_FOLDERS:
        for path in sorted((settings.include_dir / "sql" / folder).glob("*.sql")):
            digest.update(f"{folder}/{path.name}".encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
