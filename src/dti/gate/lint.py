"""Checks a suite before a night depends on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from dti.errors import ConfigError
from dti.feeds import Contract, load_contract
from dti.gate.engine import build, check, names_rows
from dti.gate.errors import GateError
from dti.gate.held import UNIQUENESS
from dti.gate.schema import judged_schema, typed_columns
from dti.gate.suite import PARAMETERS, Expectation, parameters_at, read_suite
from dti.settings import get_settings

_SAMPLES: dict[pa.DataType, Any] = {
    pa.int64(): 1,
    pa.float64(): 1.0,
    pa.bool_(): True,
    pa.string(): "1",
    pa.timestamp("us"): datetime(2025, 7, 1),  # noqa: DTZ001 — a day, as rules compare it
    pa.timestamp("us", tz="UTC"): datetime(2025, 7, 1, tzinfo=UTC),
}


def lint_suite(path: Path) -> list[str]:
    """What is wrong with a suite file, one line a fault, each naming file, rule and remedy; empty: nothing."""
    include_dir = get_settings().include_dir
    try:
        suite = read_suite(path, include_dir)
        contract = load_contract(suite.feed, include_dir / "feeds")
    except ConfigError as fault:
        return [str(fault)]
    twice = [rule for rule, count in Counter(e.rule for e in suite.expectations).items() if count > 1]
    faults = [f"{rule}: two rules have this id — rename one" for rule in twice]
    for expectation in suite.expectations:
        found = list(_faults(expectation, set(typed_columns(contract)))) or list(_trial(expectation, contract))
        faults += [f"{expectation.rule}: {fault}" for fault in found]
    return [f"{path}: {fault}" for fault in faults]


def _faults(expectation: Expectation, columns: set[str]) -> Iterator[str]:
    try:
        rows_named = names_rows(expectation.type)
        build([expectation])
    except ConfigError as fault:
        yield f"{fault.what} — {fault.remedy}"
        return
    kwargs, scope = expectation.kwargs, expectation.meta.scope
    if unknown := sorted(set(expectation.columns) - columns):
        yield f"no column of this feed: {', '.join(unknown)} — name one the contract has"
    if unknown := sorted(set(_parameters(kwargs)) - set(PARAMETERS)):
        yield f"no parameter: {', '.join(unknown)} — one of {', '.join(PARAMETERS)}"
    if not rows_named and scope == "row":
        yield "it judges a table as a whole — set meta.scope: batch"
    if not rows_named and expectation.severity == "warning":
        yield "it names no rows to put in quarantine — use critical or info"
    if expectation.type in UNIQUENESS and scope == "row":
        yield "uniqueness within one part says nothing — set meta.scope: batch"
    if rows_named and "column" not in kwargs and "ignore_row_if" not in kwargs:
        yield "what becomes of rows with nulls is not said — set ignore_row_if"
    if expectation.type in UNIQUENESS and kwargs.get("ignore_row_if", "any_value_is_missing") != "any_value_is_missing":
        yield "a key with a part missing is no key — set ignore_row_if: any_value_is_missing"
    if isinstance(kwargs.get("row_condition"), str):
        yield "row_condition as text is deprecated in GX — write it as type, column, operator, parameter"
    if "mostly" in kwargs:
        yield "a rule is about rows; how many may fail is the contract's quarantine_limit_pct — drop mostly"


def _trial(expectation: Expectation, contract: Contract) -> Iterator[str]:
    """Judge one made-up row: what GX can only refuse once it meets values, such as a bound of another type."""
    schema = judged_schema(contract, expectation.columns)
    row = pa.Table.from_pylist([{name: _SAMPLES[schema.field(name).type] for name in schema.names}], schema=schema)
    moment = datetime(2025, 7, 1, tzinfo=UTC)
    try:
        check(row, [expectation], parameters_at(moment))
    except GateError as fault:
        yield f"{fault.what} — {fault.remedy}"


def _parameters(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$PARAMETER" in value:
            yield str(value["$PARAMETER"])
        for part in value.values():
            yield from _parameters(part)
    elif isinstance(value, list):
        for part in value:
            yield from _parameters(part)
