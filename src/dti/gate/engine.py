"""Great Expectations, asked one thing: which rows of this table break which rules?

GX and pandas are imported on first use; that takes seconds, so one process should judge many batches.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dti.errors import ConfigError
from dti.gate.errors import GateError
from dti.gate.schema import ROW_NUMBER
from dti.gate.suite import Expectation
from dti.libraries import great_expectations

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationSuite
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

_RESULT_FORMAT = {"result_format": "COMPLETE"}  # any lesser format cuts the list of failing rows
_COLUMNS_OF_A_GROUP = 7
_WORTH_GROUPING = 30_000
"""Rows from which on narrow frames save more than another call costs, some 30 ms."""


@dataclass(frozen=True)
class Outcome:
    """How one rule fared on one table. ``failed_rows`` is empty for a rule about the table as a whole."""

    rule: str
    passed: bool
    checked_count: int
    failed_rows: list[int]
    observed: str


def check(table: pa.Table, rules: Sequence[Expectation], parameters: dict[str, Any]) -> list[Outcome]:
    """Ask GX about ``table``, whose column ``row_number`` names its rows; outcomes come in the order of ``rules``.

    Raises GateError when GX could not compute a rule: GX reports that as a failed rule without rows, which must
    never be taken for bad data. Raises ConfigError for a rule GX does not know.
    """
    if not rules:
        return []
    outcomes: dict[str, Outcome] = {}
    for group in _grouped(rules) if table.num_rows >= _WORTH_GROUPING else [list(rules)]:
        columns = dict.fromkeys(column for rule in group for column in rule.columns)
        batch = _whole_frame().get_batch({"dataframe": _frame(table.select([ROW_NUMBER, *columns]))})
        found = batch.validate(build(group), result_format=_RESULT_FORMAT, expectation_parameters=parameters)
        for result in found.results:
            rule = _rule_of(result)
            if fault := _engine_fault(result.exception_info):
                raise GateError(f"Great Expectations could not compute it: {fault}", where=rule, remedy="mend the rule")
            outcomes[rule] = _outcome(rule, bool(result.success), result.result)
    if unanswered := [rule.rule for rule in rules if rule.rule not in outcomes]:
        raise GateError("Great Expectations gave no result", where=", ".join(unanswered), remedy="report this fault")
    return [outcomes[rule.rule] for rule in rules]


def _grouped(rules: Sequence[Expectation]) -> list[list[Expectation]]:
    """The rules in groups that look at few columns together.

    For every rule GX takes the rows without nulls out of the whole frame it was given, every column of it: asked in
    narrow frames it needs half the time. What a rule says of its own columns is the same in any frame.
    """
    groups: list[tuple[set[str], list[Expectation]]] = []
    for rule in rules:
        own = set(rule.columns)
        fitting = [group for group in groups if len(group[0] | own) <= _COLUMNS_OF_A_GROUP]
        columns, members = min(fitting, key=lambda group: len(own - group[0]), default=(set[str](), []))
        if not members:
            groups.append((columns, members))
        columns |= own
        members.append(rule)
    return [members for _, members in groups]


def build(rules: Iterable[Expectation]) -> ExpectationSuite:
    """The rules as a GX suite; raises ConfigError naming the first rule whose type or kwargs GX does not know.

    Each rule is made before it is handed over: given plain dictionaries, a GX suite only logs the ones it cannot
    read and goes on without them, and its own ``add`` replaces a rule by a later one on the same columns.
    """
    great_expectations()
    from great_expectations.core import ExpectationSuite
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    made = []
    for rule in rules:
        written = ExpectationConfiguration(
            type=rule.type,
            kwargs=copy.deepcopy(rule.kwargs),
            severity=FailureSeverity(rule.severity),
            meta={"rule": rule.rule},
        )
        try:
            made.append(written.to_domain_obj())
        except (GreatExpectationsError, ValueError, TypeError) as fault:
            raise ConfigError(
                f"Great Expectations refuses it: {fault}", where=rule.rule, remedy="check type and kwargs"
            ) from fault
    return ExpectationSuite("gate", expectations=made)


def names_rows(expectation_type: str) -> bool:
    """Whether an expectation of this GX type can say which rows fail; ConfigError when GX does not know the type."""
    great_expectations()
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.expectation import (
        ColumnMapExpectation,
        ColumnPairMapExpectation,
        MulticolumnMapExpectation,
    )
    from great_expectations.expectations.registry import get_expectation_impl

    try:
        implementation = get_expectation_impl(expectation_type)
    except ExpectationNotFoundError as fault:
        raise ConfigError(f"no expectation type {expectation_type!r}", remedy="see GX's gallery") from fault
    return issubclass(implementation, ColumnMapExpectation | ColumnPairMapExpectation | MulticolumnMapExpectation)


@lru_cache(maxsize=1)
def _whole_frame() -> BatchDefinition[Any]:
    """One in-memory context a process, with one asset: whatever frame is handed to it (it keeps only the last)."""
    context = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("gate").add_dataframe_asset("batch")
    definition: BatchDefinition[Any] = asset.add_batch_definition_whole_dataframe("whole")
    return definition


def _frame(table: pa.Table) -> pd.DataFrame:
    """The table as pandas, indexed by row number; whole numbers and booleans stay so beside nulls."""
    import pandas as pd

    def masked(arrow_type: pa.DataType) -> Any:
        if pa.types.is_integer(arrow_type):
            return pd.Int64Dtype()
        return pd.BooleanDtype() if pa.types.is_boolean(arrow_type) else None

    frame: pd.DataFrame = table.to_pandas(types_mapper=masked)
    frame.index = pd.Index(table.column(ROW_NUMBER).to_numpy())  # without a name: GX then lists plain row numbers
    return frame


def _outcome(rule: str, success: bool, result: dict[str, Any]) -> Outcome:
    if "unexpected_count" not in result:
        return Outcome(rule, success, 1, [], str(result.get("observed_value")))
    rows = [int(row) for row in result.get("unexpected_index_list") or []]
    if len(rows) != result["unexpected_count"] or success == bool(rows):
        raise GateError(
            f"{result['unexpected_count']} rows failed but {len(rows)} were named",
            where=rule,
            remedy="report this fault",
        )
    return Outcome(rule, success, result["element_count"] - (result.get("missing_count") or 0), rows, "")


def _rule_of(result: ExpectationValidationResult) -> str:
    config = result.expectation_config
    if config is None or not config.meta:
        raise GateError("a result of Great Expectations names no rule", remedy="report this fault")
    return str(config.meta["rule"])


def _engine_fault(info: dict[str, Any] | None) -> str | None:
    """The message of an exception GX swallowed; it comes flat, or one a metric."""
    if not info:
        return None
    parts = [info] if "raised_exception" in info else list(info.values())
    messages = [str(p.get("exception_message")) for p in parts if isinstance(p, dict) and p.get("raised_exception")]
    return "; ".join(messages) or None
