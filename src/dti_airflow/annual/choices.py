"""What the form of a recomputation can offer, found by looking at folders.

DAG files are parsed every half minute, so nothing here reads a framework: whether it can be computed stands in one line
of its file. What a file really holds is judged when the request is opened.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from dti.settings import get_settings

AUTO = "auto"
"""The choice that leaves the choosing to the year."""

_STATUS = re.compile(r"^status:[ \t]*[\"']?([a-z_]+)", re.MULTILINE)


def frameworks(include: Path | None = None) -> list[str]:
    """Ids of the frameworks that can be computed, sorted: those whose file does not say ``published_only``."""
    found = []
    for file in ((include or get_settings().include_dir) / "frameworks").glob("*/framework.yml"):
        status = _STATUS.search(file.read_text("utf-8", errors="replace"))
        if status is None or status[1] == "computed":
            found.append(file.parent.name)
    return sorted(found)


def geographies(include: Path | None = None) -> list[str]:
    """Every geography that has units, sorted."""
    with ((include or get_settings().include_dir) / "reference" / "unit.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        return sorted({row["geography"] for row in csv.DictReader(file)})
