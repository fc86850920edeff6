"""The faults of sources: the table that test_faults.py tries row by row and docs/reliability.md prints.

``uv run python -m tests.unit.sources.fault_table`` writes it into the document.
"""

from __future__ import annotations

from pathlib import Path

from tests.unit.sources import faults_content, faults_lists, faults_prometheus, faults_waits
from tests.unit.sources.fault_rows import RECORDED

FAULTS = [*faults_waits.FAULTS, *faults_content.FAULTS, *faults_lists.FAULTS, *faults_prometheus.FAULTS]
DOCUMENT = Path(__file__).parents[3] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults of sources: begin -->", "<!-- faults of sources: end -->"


def table() -> str:
    """The table as the document prints it."""
    lines = ["| fault | what is asked again | what lands | what the operator reads | test |", "|---|---|---|---|---|"]
    for fault in FAULTS:
        lands = RECORDED if fault.kind else fault.lands
        reads = f"**{fault.kind.kind}** {fault.reads}" if fault.kind else fault.reads or "—"
        lines.append(f"| {fault.fault} | {fault.again} | {lands} | {reads} | `{fault.id}` |")
    return "\n".join(lines)


def printed() -> str:
    """What stands in the document between its marks."""
    return DOCUMENT.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    text = DOCUMENT.read_text("utf-8")
    DOCUMENT.write_text(text.replace(f"{BEGIN}\n{printed()}\n{END}", f"{BEGIN}\n{table()}\n{END}"), "utf-8")
