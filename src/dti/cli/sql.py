"""``dti sql``: CSV on standard output."""

from __future__ import annotations

import csv
import sys
from decimal import Decimal

from dti.settings import get_settings
from dti.warehouse.query import run_select


def print_csv(select: str) -> None:
    """Print the answer as CSV, streaming; nulls are empty, and the header comes even with no row.

    Numbers are written out as PostgreSQL shows them: 0.000000468455, never 4.68455E-7.
    """
    columns, rows = run_select(select, get_settings())
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([f"{value:f}" if isinstance(value, Decimal) else value for value in row] for row in rows)
