"""Run by test_killed_publishing: publications that break off at one moment after another, each finished by a retry.

    python -m tests.integration.killed_publishing kill|restart YEAR MOMENT …

For each moment a candidate is made, and a fork publishes it and meets its end there (or its server does). What stands
then, and after a retry by another fork, is printed as one line of JSON a moment. DTI_HOME says where.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from sqlalchemy import text

from dti.annual.bundle import bundle_folder, verify
from dti.annual.publish import publish
from dti.errors import DtiError
from dti.settings import Settings, get_settings
from dti.warehouse import cluster, connect
from tests.builders.moments import arm, die
from tests.builders.publishing import VALUES, candidate

BROKE_OFF = 3
TABLES = (
    "unit", "pillar_index", "composite_index", "indicator_score", "metric_value", "correction", "check_result",
    "publication",
)  # fmt: skip


def restart() -> None:
    """Stop PostgreSQL as a power cut would, and start it again."""
    own = cluster.locate(get_settings())
    cluster._run(own, "pg_ctl", ["restart", "-mimmediate", "-w", "-t60", f"-D{own.data}", f"-l{own.log}"])


def child(request_id: str, moment: str | None, how: str) -> int:
    """Publish in a fork; the signal that ended it, BROKE_OFF when it told an error of ours, 0 when it finished."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if moment:
                arm(moment, die if how == "kill" else restart)
            publish(request_id, approver="Nguyễn Văn A", settings=get_settings())
            status = 0
        except DtiError:
            status = BROKE_OFF
        finally:
            if status == 1:
                traceback.print_exc()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def standing(settings: Settings, year: int, number: int) -> dict[str, Any]:
    """What the world sees of version ``number`` of a year: rows by table, status of its request, faults, files."""
    publication_id = f"{year}.dti.34.v{number}"
    with connect.engine(settings, "loader").connect() as connection:
        counts = {
            table: connection.execute(
                text(f"select count(*) from published.{table} where publication_id = :id"), {"id": publication_id}
            ).scalar_one()
            for table in TABLES
        }
        newest = connection.execute(
            text("select coalesce(max(version), 0) from published.publication where year = :year"), {"year": year}
        ).scalar_one()
        request = connection.execute(
            text(
                "select status, exists (select from annual.decision where request_id = :id) from annual.request"
                " where request_id = :id"
            ),
            {"id": f"{year}-r{number}"},
        ).one()
    published = bundle_folder(publication_id, settings).parent
    files = [path.name for path in published.iterdir() if f"{year}.dti" in path.name] if published.exists() else []
    return {
        "rows": counts,
        "newest": newest,
        "status": request[0],
        "decided": request[1],
        "bundles": len([name for name in files if not name.startswith(".")]),
        "faults": verify(publication_id, settings=settings) if counts["publication"] else [],
        "drafts": len([name for name in files if name.startswith(".new.")]),
    }


def main(how: str, year: int, moments: list[str]) -> None:
    settings = get_settings()
    for number, moment in enumerate(moments, start=1):
        request_id = candidate(settings, f"{year}-r{number}", {**VALUES, ("P34-01", "n"): number})
        ended = child(request_id, moment, how)
        broken = standing(settings, year, number)
        retried = child(request_id, None, how)
        whole = standing(settings, year, number)
        told = {"moment": moment, "ended": ended, "broken": broken, "retried": retried, "whole": whole}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
