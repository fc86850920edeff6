"""``dti sql``: CSV on standard output."""

from __future__ import annotations

import csv
import sys

from dti.settings import get_settings
from dti.warehouse.query import run_select


def print_csv(select: str) -> None:
    """Print the answer as CSV, streaming; nulls are empty, and the header comes even with no row."""
    columns, rows = run_select(select, get_settings())
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
