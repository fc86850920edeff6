"""What became of the corrections of a run, in a few words for whoever started it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from dti.settings import Settings
from dti.warehouse.connect import engine


def summary_of(settings: Settings, run_id: str) -> dict[str, Any]:
    """How many corrections a run applied, and which no longer hold: ``{"applied": 1, "expired": [...], …}``.

    Those of the former units count where the run averages them. Plain values, for JSON.
    """
    with engine(settings, "loader").connect() as connection:
        found = connection.execute(
            text(
                """
                select c.correction_id, c.unit_id, c.target, c.status, c.detail
                from score.run as r
                inner join score.correction as c on c.run_id in (r.run_id, r.parts_run_id)
                where r.run_id = :run_id
                order by c.correction_id, c.unit_id
                """
            ),
            {"run_id": run_id},
        )
        rows = [dict(row) for row in found.mappings()]
    told = ("correction_id", "unit_id", "target", "detail")
    return {
        "applied": sum(row["status"] == "applied" for row in rows),
        "flagged": sum(row["status"] == "flagged" for row in rows),
        "not_applicable": sum(row["status"] == "not_applicable" for row in rows),
        "expired": [{name: row[name] for name in told} for row in rows if row["status"] == "expired"],
    }
