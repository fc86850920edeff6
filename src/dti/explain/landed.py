"""Where a record lies in the landing zone, so that an auditor can open the file it came in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from dti.errors import LandingError
from dti.explain.find import geographies
from dti.explain.lake import fetch
from dti.explain.model import Sample
from dti.feeds import Contract, load_contract
from dti.gate.casts import cast, identifier, literal, local_day
from dti.gate.schema import derived_days
from dti.gate.units import load_units
from dti.landing.ledger import folder_name, manifest_of, part_names
from dti.settings import Settings
from dti.store import store_of

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
        file=_shown(file, settings) if file else None,
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
) -> tuple[str | None, int | None, str | None]:
    """File below DTI_HOME, row and place at the agency of a batch's record with ``key``; the newest of two."""
    names = _names(contract.feed, source_id, batch_id, settings)
    if not names:
        return None, None, None
    with store_of(settings).at_hand(names) as paths:
        return _find_in(db, contract, dict(zip(map(str, paths), names, strict=True)), key, settings)


def _find_in(
    db: duckdb.DuckDBPyConnection, contract: Contract, parts: dict[str, str], key: dict[str, str], settings: Settings
) -> tuple[str | None, int | None, str | None]:
    """As ``_find``, in files of this machine, each with its name below DTI_HOME."""
    same = [f"cast({_typed(contract, n)} as varchar) = ?" for n in key if n != "unit_id"]
    asked = [value for name, value in key.items() if name != "unit_id"]
    order = f"{identifier(contract.version_column)} desc, " if contract.version_column else ""
    listed = ", ".join(map(literal, parts))
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
            return parts[row["filename"]], row["file_row_number"], row["source_row"]
    return None, None, None


def _typed(contract: Contract, name: str) -> str:
    """Expression: a key column of the landed text, as the gate reads it; a derived day from its moment."""
    if (source := derived_days(contract).get(name)) is not None:
        return local_day(cast(identifier(source), contract.columns[source].type))
    return cast(identifier(name), contract.columns[name].type)


def _names(feed: str, source_id: str, batch_id: str, settings: Settings) -> list[str]:
    """The batch's files that are still there."""
    try:
        manifest = manifest_of(feed, source_id, batch_id, settings)
    except LandingError:
        return []
    there = store_of(settings).below(folder_name(manifest))
    return [name for name in part_names(manifest) if name in there]


def _shown(name: str, settings: Settings) -> str:
    """The name below DTI_HOME; of what has moved into the archive, where it is now."""
    where = store_of(settings).where(name)
    return where if settings.landing_archive and not Path(where).is_relative_to(settings.home_dir) else name
