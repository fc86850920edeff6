"""Where a record lies in the landing zone, so that an auditor can open the file it came in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
from pydantic import ValidationError

from dti.explain.find import geographies
from dti.explain.lake import fetch
from dti.explain.model import Sample
from dti.feeds import Contract, load_contract
from dti.gate.casts import cast, identifier, literal, local_day
from dti.gate.schema import derived_days
from dti.gate.units import load_units
from dti.landing.batch import Manifest
from dti.landing.ledger import MANIFEST, part_paths
from dti.settings import Settings

SAMPLES = 3


def samples(
    db: duckdb.DuckDBPyConnection, feed: str, source_id: str, settings: Settings, most: int = SAMPLES
) -> list[Sample]:
    """A few of the records in ``counted`` of ``db``: numerator first, newest day first, then by key."""
    contract = load_contract(feed, settings.include_dir / "feeds")
    keys = ", ".join(f"cast(kept.{identifier(name)} as varchar) as {identifier(name)}" for name in contract.key)
    order = ", ".join(identifier(name) for name in contract.key)
    found = fetch(
        db,
        f"""
        with behind as (
            select record_no, list(distinct part order by part) as parts, max(day) as day
            from counted group by record_no
        )
        select behind.parts, kept._batch_id as batch_id, {keys}
        from behind inner join kept using (record_no)
        order by list_contains(parts, 'numerator') desc, day desc, {order}
        limit {int(most)}
        """,
    )
    return [_sample(db, contract, source_id, row, settings) for row in found]


def _sample(
    db: duckdb.DuckDBPyConnection, contract: Contract, source_id: str, row: dict[str, Any], settings: Settings
) -> Sample:
    key = {name: str(row[name]) for name in contract.key}
    file, number, source_row = _find(db, contract, source_id, row["batch_id"], key, settings)
    return Sample(
        key=key,
        counts_in=sorted(row["parts"], reverse=True),
        batch_id=row["batch_id"],
        file=str(file.relative_to(settings.home_dir)) if file else None,
        row=number,
        source_row=source_row,
    )


def _find(
    db: duckdb.DuckDBPyConnection,
    contract: Contract,
    source_id: str,
    batch_id: str,
    key: dict[str, str],
    settings: Settings,
) -> tuple[Path | None, int | None, str | None]:
    """File, row and place at the agency of the record with ``key`` in a batch; the newest where it stands twice."""
    parts = _parts(settings.landing_dir / contract.feed / source_id / batch_id, settings)
    if not parts:
        return None, None, None
    same = [f"cast({_typed(contract, n)} as varchar) = ?" for n in key if n != "unit_id"]
    asked = [value for name, value in key.items() if name != "unit_id"]
    order = f"{identifier(contract.version_column)} desc, " if contract.version_column else ""
    listed = ", ".join(literal(str(path)) for path in parts)
    found = fetch(
        db,
        f"""
        select filename, file_row_number, unit, source_row
        from read_parquet([{listed}], filename = true, file_row_number = true)
        where {" and ".join(same) or "true"}
        order by {order}filename, file_row_number
        """,
        asked,
    )
    units = load_units(settings)
    for row in found:
        if key["unit_id"] in {units.resolve(row["unit"] or "", geography) for geography in geographies(units)}:
            return Path(row["filename"]), row["file_row_number"], row["source_row"]
    return None, None, None


def _typed(contract: Contract, name: str) -> str:
    """Expression: a key column of the landed text, as the gate reads it; a derived day from its moment."""
    if (source := derived_days(contract).get(name)) is not None:
        return local_day(cast(identifier(source), contract.columns[source].type))
    return cast(identifier(name), contract.columns[name].type)


def _parts(folder: Path, settings: Settings) -> Sequence[Path]:
    """The batch's files that are still there."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return []
    return [path for path in part_paths(manifest, settings) if path.is_file()]
