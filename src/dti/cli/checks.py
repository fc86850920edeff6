"""``dti source check`` and ``dti framework lint``: findings as lines a person can act on."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from dti.index.framework import lint_folder
from dti.sources.check import check_file, probe
from dti.sources.credentials import credentials_from_environment
from dti.sources.spec import load_source_file

_out = Console(highlight=False, soft_wrap=True)


def check_source(file: Path, *, connect: bool = False) -> bool:
    """Print what is wrong with a source file (and, with ``connect``, what its system answers). True when fit."""
    findings = check_file(file)
    for finding in findings:
        _out.print(f"✗ {finding}", markup=False)
    if findings:
        return False
    source = load_source_file(file)
    _out.print(f"✓ {source.source} fills {source.feed} from {source.agency}", markup=False)
    if connect:
        credentials = credentials_from_environment(source.connection) if source.connection else None
        for line in probe(source, credentials):
            _out.print(f"  {line}", markup=False)
    return True


def lint_framework(path: Path) -> bool:
    """Print what would make a wrong index. True when the framework is sound."""
    findings = lint_folder(path)
    for finding in findings:
        _out.print(f"✗ {finding}", markup=False)
    if not findings:
        _out.print(f"✓ {path.name}: nothing to mend", markup=False)
    return not findings
