"""The rules over the warehouse, as they are written in ``expectations/warehouse/*.yml``.

A file is a topic (completeness, volume …) with a list of ``rules``, each with

``rule``                 short id, stable and unique: what results, marts and messages count by
``severity``             critical (do not trust the night's index before somebody looked), warning, info (recorded)
``reason, reason_vi``    what is wrong where it fails
``query``                a file of ``queries/``: one SELECT, whose rows say how each thing fared
``parameters``           values for the ``:names`` of the query; lists and mappings arrive as JSON
``judge``                ``history``: the query gives a series, and ``judges/history.sql`` holds it against its own
                         past; the parameters it knows are in ``HISTORY``
``lake``                 tables of ``lake/tables.yml`` that the query reads: SELECTs over a feed's lake, in DuckDB
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import text

from dti.documents import load_yaml
from dti.errors import ConfigError
from dti.gate.verdict import Severity
from dti.settings import Settings

HISTORY: dict[str, Any] = {
    "history": 12,  # comparable values that are looked at
    "minimum": 8,  # below it: cold start, not judged
    "limit": 5,  # robust spreads that a value may lie from the median
    "scale": "plain",  # count: numbers of things; share: 0 to 1, of `records` things; plain: anything else
    "least_share": 0,  # a move of less than this share of the median is not told
    "least_step": 0,  # nor one of less than this
    "least_records": 0,  # a share of fewer things is not judged
}
"""What a rule with ``judge: history`` may set, and what holds where it sets nothing."""

GIVEN = ("night", "night_end", "run_id")
"""Parameters every query is given: the night, the moment it ends, and the id of its index run (none: empty)."""

SERIES = ("feed", "source_id", "unit_id", "place", "value", "records")
FINDINGS = ("feed", "source_id", "unit_id", "checked_count", "failed_count", "detail")
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """One rule; ``topic`` is the name of its file."""

    rule: Name
    topic: Name
    severity: Severity
    reason: Text
    reason_vi: Text
    query: Name
    parameters: dict[Name, Any] = Field(default_factory=dict)
    judge: Literal["history"] | None = None
    lake: list[Name] = Field(default_factory=list)


class LakeTable(_Strict):
    """One table taken from the lake by ``lake/<name>.sql``, which reads ``lake`` in DuckDB and knows ``night()``."""

    feed: Name
    months: int = Field(ge=1, description="How many months of partitions up to the night are read.")


_Model = TypeVar("_Model", bound=_Strict)


@dataclass(frozen=True)
class Folder:
    """Where the rules are."""

    path: Path

    def topics(self) -> list[Path]:
        """The files with rules, by name."""
        return sorted(self.path.glob("*.yml"))

    def query(self, name: str) -> Path:
        """The SQL file of a query."""
        return self.path / "queries" / f"{name}.sql"

    def judge(self, name: str) -> Path:
        """The SQL file that judges a series."""
        return self.path / "judges" / f"{name}.sql"

    def lake(self, name: str) -> Path:
        """The SQL file of a table taken from the lake."""
        return self.path / "lake" / f"{name}.sql"


def parameters_of(statement: str) -> set[str]:
    """The ``:names`` of a statement."""
    return set(text(statement).compile().params)


def folder(settings: Settings) -> Folder:
    """The folder of the project's rules."""
    return Folder(settings.expectations_dir / "warehouse")


def load_rules(settings: Settings) -> list[Rule]:
    """Every rule, topic by topic as written; raises ConfigError naming file, rule and fault."""
    rules = [rule for path in folder(settings).topics() for rule in read_topic(path)]
    twice = [name for name, count in Counter(rule.rule for rule in rules).items() if count > 1]
    if twice:
        raise ConfigError(
            f"two rules have this id: {', '.join(twice)}", where=str(folder(settings).path), remedy="rename one"
        )
    return rules


def read_topic(path: Path) -> list[Rule]:
    """The rules of one file; raises ConfigError naming file, rule and fault."""
    written = _yaml(path, path.stat().st_mtime_ns)
    if not isinstance(written, dict) or set(written) != {"rules"} or not isinstance(written["rules"], list):
        raise ConfigError("not a list of rules", where=str(path), remedy="write rules: and a list below it")
    return [_validated(Rule, {"topic": path.stem, **_mapping(each)}, path) for each in written["rules"]]


def lake_tables(where: Folder) -> dict[str, LakeTable]:
    """What ``lake/tables.yml`` says of every table taken from the lake; raises ConfigError naming the fault."""
    path = where.path / "lake" / "tables.yml"
    written = _yaml(path, path.stat().st_mtime_ns) if path.is_file() else {}
    if not isinstance(written, dict):
        raise ConfigError("not a mapping", where=str(path), remedy="write name: {feed: …, months: …}")
    return {name: _validated(LakeTable, _mapping(each), path) for name, each in written.items()}


def _validated(kind: type[_Model], written: dict[str, Any], path: Path) -> _Model:
    try:
        return kind.model_validate(written)
    except ValidationError as fault:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'entry'}: {e['msg']}" for e in fault.errors())
        named = written.get("rule")
        raise ConfigError(faults, where=f"{path}: {named}" if named else str(path), remedy="mend the file") from fault


def _mapping(written: Any) -> dict[str, Any]:
    return written if isinstance(written, dict) else {"rule": written}


@lru_cache(maxsize=64)
def _yaml(path: Path, _changed_at: int) -> Any:
    try:
        return load_yaml(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise ConfigError(f"not YAML: {fault}", where=str(path), remedy="mend the file") from fault
