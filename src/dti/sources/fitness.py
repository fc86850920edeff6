"""Whether a source description fits the contract of its feed: what would land nothing, or land a person."""

from __future__ import annotations

import re

import jmespath
from jmespath.exceptions import JMESPathError

from dti.errors import ConfigError
from dti.feeds import Contract
from dti.sources.model import PrometheusConnector, RestConnector, Source, TabularConnector

PROMETHEUS_COLUMNS = ("measure", "value", "sampled_at", "step_seconds")


def check_against_contract(source: Source, where: str) -> None:
    """Raise ConfigError naming ``where`` and the first fault that :func:`faults` finds, or that of the feed itself."""
    try:
        found = faults(source)
    except ConfigError as fault:
        raise ConfigError(f"feed: {fault.where}: {fault.what}", where=where, remedy=fault.remedy) from None
    for key, what, remedy in found:
        raise ConfigError(f"{key}: {what}", where=where, remedy=remedy)


def faults(source: Source) -> list[tuple[str, str, str]]:
    """Everything about ``source`` that does not fit its feed, as (key of the file, what, remedy)."""
    contract = source.contract
    return [
        *_unknown(source, contract),
        *_twice(source),
        *_missing(source, contract),
        *_leaks(source, contract),
        *_paths(source),
    ]


def columns_of_connector(source: Source) -> set[str]:
    """Columns that the connector fills by itself: Prometheus' own, or the named groups of a title."""
    connector = source.connector
    if isinstance(connector, PrometheusConnector):
        return set(PROMETHEUS_COLUMNS)
    if isinstance(connector, TabularConnector) and connector.title_pattern:
        return set(re.compile(connector.title_pattern).groupindex)
    return set()


def _unknown(source: Source, contract: Contract) -> list[tuple[str, str, str]]:
    known = set(contract.columns) | set(contract.personal)
    remedy = f"known: {', '.join(sorted(known))}"
    places = {
        "fields": set(source.fields) - known,
        "constants": set(source.constants) - set(contract.columns),
        "codes": set(source.codes) - set(contract.columns) - {"unit"},
        "connector": columns_of_connector(source) - known,
    }
    return [
        (place, f"no column of feed {contract.feed}: {', '.join(sorted(names))}", remedy)
        for place, names in places.items()
        if names
    ]


def _twice(source: Source) -> list[tuple[str, str, str]]:
    given = [set(source.fields), set(source.constants), columns_of_connector(source)]
    names = sorted(name for name in set().union(*given) if sum(name in each for each in given) > 1)
    if names:
        what = f"given twice: {', '.join(names)}"
        return [("fields", what, "map each column once: under fields, constants or by the connector")]
    return []


def _missing(source: Source, contract: Contract) -> list[tuple[str, str, str]]:
    given = set(source.fields) | set(source.constants) | columns_of_connector(source)
    given |= {p.to_column for name, p in contract.personal.items() if name in given and p.to_column}
    required = {name for name, column in contract.columns.items() if column.required}
    if missing := sorted(required - given):
        what = f"required by feed {contract.feed} but not mapped: {', '.join(missing)}"
        return [("fields", what, "map them under fields or constants")]
    return []


def _leaks(source: Source, contract: Contract) -> list[tuple[str, str, str]]:
    """Mappings that would carry a person past the place where persons are dropped or pseudonymised."""
    found = []
    pseudonyms = {p.to_column: name for name, p in contract.personal.items() if p.to_column}
    for column in sorted(set(pseudonyms) & (set(source.fields) | set(source.constants) | columns_of_connector(source))):
        what = f"{column} receives the pseudonym of {pseudonyms[column]} and cannot be mapped itself"
        found.append((f"fields.{column}", what, f"map {pseudonyms[column]} instead"))
    personal = {source.fields[name]: name for name in contract.personal if name in source.fields}
    for column, place in source.fields.items():
        if column not in contract.personal and place in personal:
            what = f"{place!r} is personal ({personal[place]}) and would be kept as {column}"
            found.append((f"fields.{column}", what, "map another field, or leave the column out"))
    return found


def _paths(source: Source) -> list[tuple[str, str, str]]:
    """JMESPath expressions of a REST source that do not compile."""
    connector = source.connector
    if not isinstance(connector, RestConnector):
        return []
    paths: dict[str, str | None] = {f"fields.{column}": path for column, path in source.fields.items()}
    paths["unit.field"] = source.unit.field
    paths["connector.records_path"] = connector.records_path
    paths["connector.paging.cursor_path"] = connector.paging.cursor_path
    paths["connector.paging.total_path"] = connector.paging.total_path
    paths["connector.change_time.field"] = connector.change_time.field if connector.change_time else None
    found = []
    for key, path in paths.items():
        try:
            jmespath.compile(path or "@")
        except (JMESPathError, ValueError, RecursionError) as fault:
            found.append((key, " ".join(str(fault).split())[:500], "write a JMESPath (https://jmespath.org)"))
    return found
