"""The tests that the documents name are there: the file, the function, and the case where one is named."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import PROJECT

PAGES = ["README.md", "SECURITY.md", *sorted(str(p.relative_to(PROJECT)) for p in PROJECT.glob("docs/**/*.md"))]
NAMED = re.compile(r"`((?:…|[\w/]*\btest_\w+\.py)?)((?:::test_\w+)?)(?:\[([^`\]]+)\])?`")
FOLDER = re.compile(r"`(?:tests/)?((?:unit|integration|dags|sql)/\w+)/?`")
ANY_OF_THEM = "<test>"
"""Stands for every id of a table that is generated from the cases themselves."""


class Named(NamedTuple):
    """One test as a document names it; ``case`` is the id of one of its parameters."""

    line: int
    file: str
    function: str
    case: str


def named_tests(text: str) -> Iterator[Named]:
    """What is named in ``text``. Without a file, or with … in its place, it is the one named before in the line."""
    for number, line in enumerate(text.splitlines(), start=1):
        before = ""
        for file, function, case in NAMED.findall(line):
            if file in ("", "…") and not function:
                continue
            before = before if file in ("", "…") else file
            yield Named(number, before, function.removeprefix("::"), case)


@functools.cache
def files_called(name: str) -> list[Path]:
    """Test files whose path ends in ``name``."""
    ending = Path(name).parts
    ending = ending[1:] if ending[:1] == ("tests",) else ending
    return [path for path in sorted((PROJECT / "tests").rglob("test_*.py")) if path.parts[-len(ending) :] == ending]


@functools.cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def fault_of(named: Named) -> str:
    """What is wrong with the name; empty when it leads to one test."""
    paths = files_called(named.file) if named.file else []
    if len(paths) != 1:
        return f"line {named.line}: {len(paths)} files are called {named.file!r}"
    if named.function and named.function not in functions_of(paths[0]):
        return f"line {named.line}: {paths[0].name} has no {named.function}"
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_is_there(page: str) -> None:
    text = (PROJECT / page).read_text("utf-8")
    assert [fault for named in named_tests(text) if (fault := fault_of(named))] == []
    assert [folder for folder in FOLDER.findall(text) if not list((PROJECT / "tests" / folder).glob("test_*.py"))] == []


def test_every_case_that_a_page_names_is_one() -> None:
    """Asks pytest itself, once, of the files of which a case is named."""
    cases = {
        (files_called(named.file)[0].relative_to(PROJECT), named.function, named.case)
        for page in PAGES
        for named in named_tests((PROJECT / page).read_text("utf-8"))
        if named.case and named.case != ANY_OF_THEM
    }
    assert cases
    files = sorted({str(path) for path, _, _ in cases})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=240)
    assert listed.returncode == 0, listed.stdout[-2000:] + listed.stderr[-2000:]
    known = set(listed.stdout.splitlines())
    assert [case for case in cases if f"{case[0]}::{case[1]}[{case[2]}]" not in known] == []


def test_every_fault_in_the_tables_names_the_test_that_shows_it() -> None:
    text = (PROJECT / "docs" / "reliability.md").read_text("utf-8")
    head, _, rest = text.partition("<!-- faults of sources: begin -->")
    by_hand = head + rest.partition("<!-- faults of sources: end -->")[2]
    tables = re.findall(r"^\|.*\| test \|\n\|[-|]+\|\n((?:\|.*\n)+)", by_hand, re.MULTILINE)
    faults = [line for table in tables for line in table.splitlines()]
    assert len(faults) > 60
    shown = {line for line in faults if list(named_tests(line.rpartition(" | ")[2])) or line.endswith("| the same |")}
    assert [line for line in faults if line not in shown] == []


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("`test_nowhere.py::test_a`", "0 files"),
        ("`tests/unit/docs/test_named_tests.py::test_b`", "has no test_b"),
        ("`test_named_tests.py::test_every_case_that_a_page_names_is_one`, `::test_c`", "has no test_c"),
        ("`::test_d`", "0 files"),
    ],
)
def test_a_name_that_leads_nowhere_is_found(written: str, told: str) -> None:
    faults = [fault for named in named_tests(written) if (fault := fault_of(named))]
    assert len(faults) == 1
    assert told in faults[0]
