"""The corrections of ``include/corrections/*.yml``: read, held against the reference data, and against each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dti.documents import DocumentLoader
from dti.errors import ConfigError, MethodError
from dti.index.correction import Correction, CorrectionSet, Guard, correction_set_of
from dti.index.correction_entry import Entry, Known, correction_of, faults, known_now
from dti.index.model import Finding
from dti.settings import Settings

__all__ = [
    "Correction",
    "CorrectionSet",
    "Guard",
    "correction_files",
    "correction_set_of",
    "lint_corrections",
    "load_corrections",
]

_HOW = "see docs/corrections.md"
Placed = tuple[Path, int, Correction]


def load_corrections(settings: Settings) -> CorrectionSet:
    """The corrections that stand now; without any the empty set.

    Raises ConfigError naming file, line, entry and remedy of everything that is wrong: a run that left out a
    correction without a word would be a wrong one.
    """
    placed, findings = _read(settings)
    if findings:
        first = findings[0]
        rest = "".join(f"\n{finding}" for finding in findings[1:])
        raise ConfigError(first.what, where=f"{first.file}:{first.line}", remedy=f"{first.remedy}{rest}")
    return CorrectionSet(corrections=tuple(correction for _, _, correction in placed))


def lint_corrections(settings: Settings) -> list[Finding]:
    """Everything wrong in any file, in file order; empty when all are sound."""
    return _read(settings)[1]


def correction_files(settings: Settings) -> list[Path]:
    """The files, by name."""
    return sorted((settings.include_dir / "corrections").glob("*.yml"))


def _read(settings: Settings) -> tuple[list[Placed], list[Finding]]:
    files = correction_files(settings)
    if not files:
        return [], []
    known = known_now(settings)
    placed: list[Placed] = []
    findings: list[Finding] = []
    for path in files:
        for found in _read_file(path, known):
            if isinstance(found, Finding):
                findings.append(found)
            else:
                placed.append(found)
    findings += _beside(placed)
    return placed, sorted(findings, key=lambda finding: (finding.file, finding.line, finding.what))


def _read_file(path: Path, known: Known) -> Iterator[Placed | Finding]:
    """Each entry, or what is wrong with it."""

    def found(line: int, what: str, remedy: str = _HOW) -> Finding:
        return Finding(file=str(path), line=line, what=what, remedy=remedy)

    try:
        items = list(_items(path))
    except UnicodeDecodeError:
        yield found(1, "not UTF-8", "save the file as UTF-8")
        return
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        yield found(mark.line + 1 if mark else 1, fault.problem or "not YAML", "mend the syntax")
        return
    for line, item in items:
        name = f"correction {item['id']}" if isinstance(item, dict) and item.get("id") else "a correction without id"
        try:
            entry = Entry.model_validate(item)
            wrong = faults(entry, known)
        except ValidationError as fault:
            for error in fault.errors():
                key = ".".join(map(str, error["loc"])) or "entry"
                shown = "" if error["type"] == "missing" else f" (found {str(error['input'])[:60]!r})"
                yield found(line, f"{name}: {key}: {error['msg']}{shown}")
            continue
        except MethodError as fault:
            yield found(line, f"{name}: {fault.what} ({fault.where})", fault.remedy)
            continue
        if wrong:
            yield from (found(line, f"{name}: {what}", remedy) for what, remedy in wrong)
        else:
            yield path, line, correction_of(entry, known)


def _beside(placed: list[Placed]) -> Iterator[Finding]:
    """Two corrections that cannot stand beside each other."""
    for (path, line, one), (other_path, other_line, other) in combinations(placed, 2):
        where = f"{path.name}:{line}"
        if one.id == other.id:
            yield Finding(
                file=str(other_path), line=other_line, what=f"correction {other.id}: the id is taken by {where}",
                remedy="give each its own, over all files",
            )  # fmt: skip
        if one.overlaps(other):
            yield Finding(
                file=str(other_path), line=other_line,
                what=f"correction {other.id}: it changes the same value on the same days as {one.id} ({where})",
                remedy="make one of the two, or part their days",
            )  # fmt: skip


class _Loader(DocumentLoader):
    """YAML whose numbers stay as they were written (1234.50, indicator 7.10) and whose keys are given once."""


def _as_written(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _once(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:int", _as_written)
_Loader.add_constructor("tag:yaml.org,2002:float", _as_written)
_Loader.add_constructor("tag:yaml.org,2002:map", _once)


def _items(path: Path) -> Iterator[tuple[int, Any]]:
    """Line and content of each item of ``corrections:``; nothing of an empty file."""
    loader = _Loader(path.read_text("utf-8"))
    try:
        root = loader.get_single_node()
        if root is None:
            return
        key, items = root.value[0] if isinstance(root, yaml.MappingNode) and len(root.value) == 1 else (None, None)
        if key is None or key.value != "corrections" or not isinstance(items, yaml.SequenceNode):
            raise yaml.constructor.ConstructorError(
                None, None, "not one key corrections: with a list of them", root.start_mark
            )
        for item in items.value:
            yield item.start_mark.line + 1, loader.construct_document(item)
    finally:
        loader.dispose()
