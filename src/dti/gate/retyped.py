"""Columns that an agency has begun to write in another way: not a few slips, so nothing of the batch is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from dti.feeds import Contract
from dti.gate.casts import NOT_A

AT_LEAST = 10  # unreadable values; fewer are slips, however few values there are
_REMEDY = {
    "date": "name the new writing under date_formats",
    "timestamptz": "name the new writing under date_formats",
    "integer": "map the number within it, or set connector.decimal_comma for a table",
    "decimal": "map the number within it, or set connector.decimal_comma for a table",
    "boolean": "map the new words under codes",
    "string": "ask the agency for text without NUL signs",
}


def retyped(
    contract: Contract, unreadable: Mapping[str, tuple[int, Sequence[str]]], parts: Iterable[Path]
) -> list[tuple[str, str]]:
    """The columns that stop the batch by the feed's ``drift.retyped_field``, as (rule, reason).

    ``unreadable`` says of a column how many values are not of its type, and the first of them; ``parts`` are the
    batch's files, whose statistics say how many values there are.
    """
    suspects = {
        name: found
        for name, found in unreadable.items()
        if found[0] >= AT_LEAST and contract.drift_of(name).retyped_field == "stop"
    }
    if not suspects:
        return []
    filled = _filled(suspects, parts)
    found = []
    for name, (count, examples) in suspects.items():
        if count * 100 <= contract.drift_of(name).retyped_pct * filled[name]:
            continue
        column = contract.columns[name]
        shown = "; ".join(examples)
        what = f"{count} of {filled[name]} values of {name} cannot be read ({shown})"
        remedy = f"if the agency changed how it writes them, {_REMEDY[column.type]} in its source file"
        found.append((f"retyped:{name}", f"{what} — {remedy}" if shown else f"{what}: {NOT_A[column.type]} — {remedy}"))
    return found


def _filled(names: Iterable[str], parts: Iterable[Path]) -> dict[str, int]:
    """How many values each column has in the files that landed, by their own statistics."""
    filled = dict.fromkeys(names, 0)
    for path in parts:
        metadata = pq.read_metadata(path)
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                if column.path_in_schema in filled:
                    nulls = column.statistics.null_count if column.statistics else 0
                    filled[column.path_in_schema] += column.num_values - nulls
    return filled
