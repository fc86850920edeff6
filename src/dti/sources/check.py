"""Checking a source file before anyone schedules it: what is wrong with it, and what its system answers."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from dti import clock
from dti.errors import ConfigError, SourceChanged
from dti.settings import get_settings
from dti.sources.certificates import CA_REMEDY, ca_problem
from dti.sources.credentials import Credentials
from dti.sources.drift import History, judge
from dti.sources.fitness import faults
from dti.sources.mapping import Mapper, Row
from dti.sources.model import HttpConnector, Source
from dti.sources.pull import PullStats
from dti.sources.read import records
from dti.sources.spec import filled_document, shape_faults, source_files
from dti.sources.window import window_for

PROBED = 200
_DECLARES = re.compile(r"^source:\s*['\"]?([a-z0-9-]+)", re.MULTILINE)
_SHAPES = {
    "integer": re.compile(r"[+-]?[0-9]+"),
    "decimal": re.compile(r"[+-]?[0-9]+(\.[0-9]+)?"),
    "boolean": re.compile(r"true|false"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "timestamptz": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.*[+-][0-9]{2}:[0-9]{2}"),
}


@dataclass(frozen=True)
class Finding:
    """One thing to mend in a source file: its key, what is wrong, what to do."""

    file: str
    key: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.message} — {self.remedy}"


def check_file(path: Path) -> list[Finding]:
    """Everything that is wrong with a source file; empty when it is fit to be scheduled. Asks no agency."""

    def found(key: str, message: str, remedy: str) -> Finding:
        return Finding(str(path), key, message, remedy)

    if not path.is_file():
        return [found("file", "no such file", "give the path of a source YAML")]
    try:
        source = Source.model_validate(filled_document(path.read_text("utf-8"), str(path)))
        misfits = faults(source)
    except UnicodeDecodeError:
        return [found("file", "not UTF-8", "save it as UTF-8")]
    except ConfigError as fault:
        return [found("file" if fault.where == str(path) else "feed", fault.what, fault.remedy)]
    except ValidationError as fault:
        return [found(key, message, "mend this key") for key, message in shape_faults(fault)]
    findings = [found(*misfit) for misfit in misfits]
    ca_file = source.connector.ca_file if isinstance(source.connector, HttpConnector) else None
    if ca_file is not None and (problem := ca_problem(ca_file)):
        findings.append(found("connector.ca_file", problem, CA_REMEDY))
    if path.stem != source.source:
        findings.append(found("source", f"declares {source.source!r}", "name the file after its source"))
    findings += [
        found("source", f"{source.source!r} is declared by {other} too", "rename one of them")
        for other in _declaring(source.source, path)
    ]
    return findings


def probe(source: Source, credentials: Credentials | None, drop_dir: Path | None = None) -> list[str]:
    """Ask the source for its first page and tell what a night would find: lines for a person.

    Reads at most ``PROBED`` records and writes nothing; personal fields are dropped as always. Raises SourceError
    when the system cannot be asked.
    """
    night = clock.local_day(clock.now())
    window, stats = window_for(source.contract, night, None), PullStats()
    mapper = Mapper(source, night, b"probe", stats)
    with closing(records(source, window, credentials, stats, drop_dir or get_settings().local_dir / "drop")) as stream:
        rows = [mapper.row(record) for record in islice(stream, PROBED)]
    lines = [f"{len(rows)} record(s) seen, {stats.requests_count} request(s), {stats.bytes_received:,} bytes"]
    lines += [f"read {name}" for name in stats.source_files]
    if stats.unmapped_fields:
        lines.append(f"not mapped: {', '.join(sorted(stats.unmapped_fields))}")
    try:
        judge(source, mapper.shape, stats, History())
    except SourceChanged as change:
        lines.append(f"changed: {change.what} — {change.remedy}")
    lines += _misfits(source, rows)
    return lines + [f"note: {warning}" for warning in stats.warnings]


def _misfits(source: Source, rows: list[Row]) -> list[str]:
    """Columns that the gate would quarantine: values that are not of their type, required ones that are empty."""
    lines = []
    for index, name in enumerate(source.contract.landed_columns[:-1]):
        column = source.contract.columns.get(name)
        empty = [row for row in rows if row[index] is None]
        if empty and (column is None or column.required):
            lines.append(f"{name}: required, and empty in {len(empty)} of {len(rows)}, first {empty[0][-1]}")
        shape = _SHAPES.get(column.type) if column else None
        odd = [row for row in rows if shape and (text := row[index]) is not None and not shape.fullmatch(text)]
        if odd and column:
            shown = (odd[0][index] or "")[:40]
            lines.append(f"{name}: {len(odd)} of {len(rows)} are no {column.type}, first {shown!r} at {odd[0][-1]}")
    return lines


def _declaring(source_id: str, path: Path) -> list[Path]:
    """Other files of ``include/sources`` that declare the same source."""
    others = [other for other in source_files() if other.resolve() != path.resolve()]
    return [o for o in others if (m := _DECLARES.search(o.read_text("utf-8"))) and m[1] == source_id]
