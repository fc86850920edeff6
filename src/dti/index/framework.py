"""Reading a framework folder: ``framework.yml`` and ``indicators.csv``, with the line of every mistake."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dti.documents import DocumentLoader, load_yaml
from dti.errors import MethodError
from dti.index.lint import MetricKey, lint
from dti.index.model import Finding, Framework, Indicator, Step, nearest_line
from dti.index.published import PublishedFramework, lint_published
from dti.index.shelf import lint_beside, unit_levels
from dti.settings import Settings, get_settings

YAML_FILE, CSV_FILE = "framework.yml", "indicators.csv"
_COLUMNS = (
    "code", "pillar_code", "name_vi", "name_en", "max_points", "rule", "numerator_metric", "denominator_metric",
    "target", "feed", "name_provenance", "points_provenance",
)  # fmt: skip
OFFICIAL_COLUMNS = ("official_scoring", "official_evidence", "official_source", "official_verifier", "attention")
"""Columns a framework may carry beside its method: what the decision says in its own words, and what to look at."""


def load_framework(id_or_path: str | Path, *, settings: Settings | None = None) -> Framework:
    """Read a framework by id (a folder of ``include/frameworks``) or by path.

    Raises MethodError naming file, line and remedy of everything that cannot be read. Whether the method makes
    sense is ``lint``'s question, not this one's.
    """
    folder = _folder(id_or_path, settings or get_settings())
    framework, findings = _read(folder)
    if framework is None:
        raise method_error(findings)
    if isinstance(framework, PublishedFramework):
        what = f"{framework.framework_id} is kept as published results only: {framework.why}"
        raise MethodError(
            what, where=str(folder / YAML_FILE), remedy="compute with a framework whose status is computed"
        )
    return framework


def load_published(id_or_path: str | Path, *, settings: Settings | None = None) -> PublishedFramework:
    """Read a framework whose status is ``published_only``. Raises MethodError as ``load_framework`` does."""
    framework, findings = _read(_folder(id_or_path, settings or get_settings()))
    if framework is None:
        raise method_error(findings)
    if isinstance(framework, Framework):
        raise MethodError("is a framework to compute with", where=framework.folder, remedy="read it as one")
    return framework


def framework_ids(settings: Settings | None = None) -> list[str]:
    """Ids of every framework folder, sorted."""
    root = (settings or get_settings()).include_dir / "frameworks"
    return sorted(path.parent.name for path in root.glob(f"*/{YAML_FILE}"))


def lint_folder(path: str | Path, *, settings: Settings | None = None) -> list[Finding]:
    """Everything in the folder that would make a wrong index, in file order; empty when it is sound."""
    settings = settings or get_settings()
    folder = _folder(path, settings)
    framework, findings = _read(folder)
    if framework is None:
        return findings
    if isinstance(framework, Framework):
        findings = lint(framework, known_metrics(settings))
    else:
        findings = list(lint_published(framework))
    findings += lint_beside(framework, list(_neighbours(folder, settings)), unit_levels(settings))
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.what))


def _neighbours(folder: Path, settings: Settings) -> Iterator[Framework | PublishedFramework]:
    """The other frameworks, those that ship and those beside ``folder``; one that cannot be read is its own finding."""
    beside = {*(settings.include_dir / "frameworks").glob(f"*/{YAML_FILE}"), *folder.parent.glob(f"*/{YAML_FILE}")}
    for path in sorted(beside):
        if path.parent.resolve().name != folder.resolve().name:
            other, _ = _read(path.parent)
            if other is not None:
                yield other


def known_metrics(settings: Settings) -> frozenset[MetricKey]:
    """Every (metric, feed) of ``include/reference/metrics.csv``."""
    with (settings.include_dir / "reference" / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return frozenset((row["metric"], row["feed"]) for row in csv.DictReader(file))


def method_error(findings: list[Finding]) -> MethodError:
    """The findings as one error: where the first stands, and all of them in words."""
    first = findings[0]
    rest = "".join(f"\n{finding}" for finding in findings[1:])
    return MethodError(first.what, where=f"{first.file}:{first.line}", remedy=f"{first.remedy}{rest}")


def _folder(id_or_path: str | Path, settings: Settings) -> Path:
    named = settings.include_dir / "frameworks" / id_or_path
    try:
        folder = named if named.is_dir() else Path(id_or_path)
        is_there = (folder / YAML_FILE).is_file()
    except OSError:  # a name longer than any file's
        is_there = False
    if not is_there:
        known = framework_ids(settings)
        raise MethodError(
            f"no framework here: {YAML_FILE} is missing",
            where=str(id_or_path),
            remedy=f"give a framework folder, or one of: {', '.join(known) or 'none'}",
        )
    return folder


def _read(folder: Path) -> tuple[Framework | PublishedFramework | None, list[Finding]]:
    """The framework, or why there is none."""
    head, lines, findings = _read_yaml(folder / YAML_FILE)
    place: dict[str, Any] = {"folder": str(folder), "lines": lines}
    published = head.get("status") == "published_only"
    indicators: list[Indicator] = []
    if not published:
        indicators, row_findings = _read_indicators(folder / CSV_FILE)
        findings += row_findings
    if findings:
        return None, findings
    framework: Framework | PublishedFramework
    try:
        if published:
            framework = PublishedFramework.model_validate(head | place)
        else:
            framework = Framework.model_validate(head | place | {"indicators": indicators})
    except ValidationError as fault:
        file = str(folder / YAML_FILE)
        return None, [_finding(file, nearest_line(lines, error["loc"]), error) for error in fault.errors()]
    return framework, []


def _finding(file: str, line: int, error: ErrorDetails) -> Finding:
    where = ".".join(str(key) for key in error["loc"] if key != "indicators") or "file"
    shown = "" if error["type"] == "missing" else f" (found {str(error['input'])[:60]!r})"
    return Finding(file=file, line=line, what=f"{where}: {error['msg']}{shown}", remedy="mend the value")


def _read_yaml(path: Path) -> tuple[dict[str, Any], dict[str, int], list[Finding]]:
    """Content, the line of every key, and what is wrong with the file as YAML (a key given twice included)."""

    def found(line: int, what: str, remedy: str) -> Finding:
        return Finding(file=str(path), line=line, what=what, remedy=remedy)

    try:
        text = path.read_text("utf-8")
        node = yaml.compose(text, Loader=DocumentLoader)
        head = load_yaml(text)
    except UnicodeDecodeError:
        return {}, {}, [found(1, "not UTF-8", "save the file as UTF-8")]
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        return {}, {}, [found(mark.line + 1 if mark else 1, "not YAML", "mend the syntax")]
    if not isinstance(head, dict) or node is None:
        return {}, {}, [found(1, "not a mapping of keys", "start from a framework that ships")]
    lines: dict[str, int] = {}
    findings = []
    for key, line in _key_lines(node, ""):
        if key in lines:
            findings.append(found(line, f"{key} is given twice", "keep one of them"))
        lines.setdefault(key, line)
    if "indicators" in head:
        findings.append(found(lines["indicators"], f"indicators stand in {CSV_FILE}", "remove the key here"))
    return head, lines, findings


def _key_lines(node: yaml.Node, prefix: str) -> Iterator[tuple[str, int]]:
    """Dotted path and line (from 1) of every mapping key and list item below ``node``."""
    children: list[tuple[str, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        children = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        children = [(str(index), item, item) for index, item in enumerate(node.value)]
    for name, mark, child in children:
        path = f"{prefix}.{name}" if prefix else name
        yield path, mark.start_mark.line + 1
        yield from _key_lines(child, path)


def _read_indicators(path: Path) -> tuple[list[Indicator], list[Finding]]:
    """The rows of indicators.csv in their order, and what is wrong with single rows."""
    if not path.is_file():
        return [], [Finding(file=str(path), line=1, what="no such file", remedy="give one row an indicator")]
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        return [], [Finding(file=str(path), line=1, what="not UTF-8", remedy="save the file as CSV UTF-8")]
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        given, rows = list(reader.fieldnames or []), [(row, reader.line_num) for row in reader]
    except csv.Error as fault:
        return [], [
            Finding(file=str(path), line=reader.line_num + 1, what=f"no CSV: {fault}", remedy="mend the quotes")
        ]
    if missing := [column for column in _COLUMNS if column not in given]:
        return [], [Finding(file=str(path), line=1, what=f"no column {', '.join(missing)}", remedy="add to the header")]
    indicators, findings = [], []
    for row, line in rows:
        if None in row or None in row.values():
            findings.append(
                Finding(file=str(path), line=line, what="more or fewer cells than the header", remedy="quote commas")
            )
            continue
        try:
            indicators.append(_indicator(row, line))
        except ValidationError as fault:
            findings += [_finding(str(path), line, error) for error in fault.errors()]
        except ValueError as fault:
            findings.append(Finding(file=str(path), line=line, what=str(fault), remedy="write 0=0;1=0.5;2=1"))
    return indicators, findings


def _indicator(row: dict[str, str], line: int) -> Indicator:
    values: dict[str, Any] = {column: row[column].strip() or None for column in _COLUMNS}
    values |= {column: row.get(column, "").strip() for column in OFFICIAL_COLUMNS}
    if values["rule"] == "steps":
        values["steps"] = _steps(values.pop("target") or "")
    return Indicator.model_validate({**values, "line": line})


def _steps(text: str) -> list[Step]:
    """``0=0;1=0.5;2=1``: from each threshold on, that share of the points."""
    pairs = [part.split("=") for part in text.split(";") if part.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"target: {text!r} is no list of threshold=share")
    return [Step.model_validate({"threshold": threshold, "share": share}) for threshold, share in pairs]
