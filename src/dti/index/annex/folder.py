"""Writing a framework folder: whole or not at all, and never over another one unless asked."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
from pathlib import Path

import yaml

from dti.errors import MethodError
from dti.index.annex.adopt import Proposal
from dti.index.framework import CSV_FILE, YAML_FILE

_INTRODUCTION = """\
# Read from an official table by "dti framework import"; one row an indicator stands in indicators.csv.
# Names and points are quoted from that table. Composites are not in it: they are inferred, check them.
# Rows with an entry in the column attention are scored by stated points until a person has given them a rule.
"""


def write_folder(proposal: Proposal, parent: Path, *, force: bool = False) -> Path:
    """Write the folder ``parent/<framework id>`` and return it; readers see the old folder or the new one, no mixture.

    Raises MethodError when the folder exists, unless ``force``.
    """
    target = parent / proposal.framework_id
    if target.exists() and not force:
        raise MethodError("exists already", where=str(target), remedy="give another --id, or --force to write it anew")
    parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{proposal.framework_id}.", dir=parent))
    try:
        fresh.chmod(0o755)
        _write(fresh / YAML_FILE, _INTRODUCTION + yaml.safe_dump(proposal.head, allow_unicode=True, sort_keys=False))
        _write(fresh / CSV_FILE, _csv(proposal))
        _exchange(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _exchange(fresh: Path, target: Path) -> None:
    """Let ``fresh`` take the name of ``target``; what stood there goes last, and comes back when the change fails."""
    aside = fresh.with_name(f"{fresh.name}.replaced")
    was_there = target.exists()
    if was_there:
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if was_there:
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _csv(proposal: Proposal) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(proposal.rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(proposal.rows)
    return text.getvalue()
