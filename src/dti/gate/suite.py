"""The suite of a feed: what its rows must keep to, in Great Expectations' own words.

``expectations/<feed>.yml`` holds ``feed`` and a list of ``expectations``, each with GX's keys ``type``, ``kwargs``,
``severity`` and ``meta``. In ``meta`` stand

``rule``            short id, stable: it is what quarantine, reports and dashboards count by
``reason``          what is wrong with a row that fails, in English; ``reason_vi`` the same in Vietnamese
``scope``           ``row`` (default): judged part by part; ``batch``: needs all rows at once, such as uniqueness.
                    Of rows already quarantined a batch rule sees that they exist, not their values.
``value_set_from``  ``reference/metrics.csv:metric``: fills ``kwargs.value_set`` from a column of a file in include/;
                    several, or patterns such as ``frameworks/*/indicators.csv:numerator_metric``, add up

Any value of ``kwargs`` may be ``{$PARAMETER: name}``; the names are in ``PARAMETERS``. Any list may be
``{$COLUMN: "reference/metrics.csv:metric?unit=yes_no"}``: a column of a file in include/, of the lines where another
column holds that text (without ``?…``: of all lines).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from dti.clock import local_day
from dti.documents import load_yaml
from dti.errors import ConfigError
from dti.gate.verdict import Severity
from dti.landing.batch import Manifest
from dti.settings import Settings

PARAMETERS = ("horizon", "horizon_day", "horizon_year", "decade_ahead")
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_COLUMN = r"^[\w./*-]+\.csv:\w+(\?\w+=[\w.-]+)?$"
Column = Annotated[str, StringConstraints(pattern=_COLUMN)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Meta(_Strict):
    """What we add to an expectation."""

    rule: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    reason: Text
    reason_vi: Text
    scope: Literal["row", "batch"] = "row"
    value_set_from: list[Column] | Column | None = None


class Expectation(_Strict):
    """One rule."""

    type: Text
    kwargs: dict[str, Any]
    severity: Severity
    meta: Meta

    @property
    def rule(self) -> str:
        """The rule's id."""
        return self.meta.rule

    @property
    def columns(self) -> list[str]:
        """Columns the rule looks at, those of its condition included, each once."""
        named = [self.kwargs.get(key) for key in ("column", "column_A", "column_B")]
        named += self.kwargs.get("column_list") or []
        named += _condition_columns(self.kwargs.get("row_condition"))
        return list(dict.fromkeys(name for name in named if isinstance(name, str)))


class SuiteFile(_Strict):
    """The file as written."""

    feed: str
    expectations: list[Expectation] = Field(min_length=1)


@dataclass(frozen=True)
class Suite:
    """A suite ready to be used: value sets filled in."""

    feed: str
    expectations: list[Expectation]

    def of_scope(self, scope: Literal["row", "batch"]) -> list[Expectation]:
        """Rules of one scope, in the order they are written."""
        return [e for e in self.expectations if e.meta.scope == scope]


def load_suite(feed: str, settings: Settings) -> Suite:
    """The suite of a feed; raises ConfigError naming file, rule and fault."""
    path = settings.expectations_dir / f"{feed}.yml"
    if not path.is_file():
        raise ConfigError(
            "no suite for this feed", where=str(path), remedy="write one; a feed is never loaded unchecked"
        )
    return read_suite(path, settings.include_dir)


def read_suite(path: Path, include_dir: Path) -> Suite:
    """The suite in one file, value sets filled in; raises ConfigError naming file, rule and fault."""
    written = _parse(path, path.stat().st_mtime_ns) if path.is_file() else None
    if written is None:
        raise ConfigError("no such suite", where=str(path), remedy="give the path of a suite file")
    if written.feed != path.stem:
        raise ConfigError(f"declares feed {written.feed!r}", where=str(path), remedy="name the file after its feed")
    return Suite(written.feed, [_with_value_set(e, include_dir, path) for e in written.expectations])


@lru_cache(maxsize=32)
def _parse(path: Path, _changed_at: int) -> SuiteFile:
    try:
        return SuiteFile.model_validate(load_yaml(path.read_text("utf-8")))
    except ValidationError as fault:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in fault.errors())
        raise ConfigError(faults, where=str(path), remedy="mend the suite") from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise ConfigError(f"not YAML: {fault}", where=str(path), remedy="mend the suite") from fault


def parameters_of(manifest: Manifest) -> dict[str, Any]:
    """Values of ``PARAMETERS`` for one batch.

    The horizon is one day after the later of the window's end and the moment of reading: what changed while the
    agency was being read is no fault, what claims to come from after it is.
    """
    return parameters_at(max(manifest.until, manifest.landed_at) + timedelta(days=1))


def parameters_at(horizon: datetime) -> dict[str, Any]:
    """The horizon as a moment, its day in Việt Nam, that day's year, and the moment ten years after it.

    Days are written with midnight ('2025-08-01T00:00:00'), here and in suites: GX reads a bare '2025-08-01' as a
    day and then cannot compare it with a column of days.
    """
    day = local_day(horizon)
    decade = horizon + timedelta(days=3652)  # two leap days
    values = (horizon.isoformat(), f"{day}T00:00:00", day.year, decade.isoformat())
    return dict(zip(PARAMETERS, values, strict=True))


def _with_value_set(expectation: Expectation, include_dir: Path, suite_path: Path) -> Expectation:
    where = f"{suite_path}: {expectation.rule}"
    expectation = expectation.model_copy(update={"kwargs": _filled(expectation.kwargs, include_dir, where)})
    named = expectation.meta.value_set_from
    if named is None:
        return expectation
    values = {
        value for each in ([named] if isinstance(named, str) else named) for value in _column(each, include_dir, where)
    }
    return expectation.model_copy(update={"kwargs": {**expectation.kwargs, "value_set": sorted(values)}})


def _filled(written: Any, include_dir: Path, where: str) -> Any:
    """``written`` with every ``{$COLUMN: …}`` replaced by what stands in that column, sorted."""
    if isinstance(written, dict):
        if set(written) == {"$COLUMN"}:
            return sorted(_column(str(written["$COLUMN"]), include_dir, where))
        return {key: _filled(value, include_dir, where) for key, value in written.items()}
    return [_filled(value, include_dir, where) for value in written] if isinstance(written, list) else written


def _column(named: str, include_dir: Path, where: str) -> set[str]:
    """What stands in one column of a file below include/, of every file of a pattern, of the lines asked for."""
    if not re.fullmatch(_COLUMN, named):
        what = f"not the column of a file: {named}"
        raise ConfigError(what, where=where, remedy="write file.csv:column or file.csv:column?other=text")
    file, _, rest = named.partition(":")
    column, _, condition = rest.partition("?")
    key, _, text = condition.partition("=")
    found: set[str] = set()
    paths = sorted(include_dir.glob(file))
    if not paths:
        raise ConfigError(f"no such file {file}", where=where, remedy="name a file below include/")
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if missing := {column, key or column} - set(rows.fieldnames or []):
                shown = path.relative_to(include_dir)
                what = f"{shown} has no column {', '.join(sorted(missing))}"
                raise ConfigError(what, where=where, remedy="name one it has")
            found |= {row[column] for row in rows if not key or row[key] == text}
    if not found:
        raise ConfigError(f"nothing stands in {named}", where=where, remedy="name a column that is filled")
    return found


def _condition_columns(condition: Any) -> list[str]:
    if not isinstance(condition, dict):
        return []
    own = condition.get("column")
    nested = [name for part in condition.get("conditions", []) for name in _condition_columns(part)]
    return [*([own["name"]] if isinstance(own, dict) and "name" in own else []), *nested]
