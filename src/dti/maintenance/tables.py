"""Tables with many dead rows are vacuumed and analysed; PostgreSQL's own autovacuum does it too, but when it likes."""

from __future__ import annotations

import psycopg
from psycopg import sql

from dti.maintenance.model import Tidied
from dti.settings import Settings
from dti.warehouse import connect

DEAD_ROWS = 1_000
DEAD_SHARE = 0.1

_BLOATED = """
    SELECT s.schemaname, s.relname, s.n_dead_tup, pg_total_relation_size(s.relid)
    FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid
    WHERE s.schemaname IN ('ref', 'ops', 'facts', 'method', 'score', 'annual') AND pg_has_role(c.relowner, 'USAGE')
        AND s.n_dead_tup >= %s AND s.n_dead_tup >= %s * (s.n_live_tup + s.n_dead_tup)
    ORDER BY 1, 2
"""


def vacuum(settings: Settings, dry_run: bool) -> Tidied:
    """VACUUM (ANALYZE) tables of the owner's of which a tenth of the rows is dead; a table that is in use is left.

    The space becomes free for new rows; only what lies at a table's end goes back to the disk, and is counted.
    """
    dead, freed = 0, 0
    with connect.connect(settings, "owner") as driver:
        driver.autocommit = True
        bloated = driver.execute(_BLOATED, [DEAD_ROWS, DEAD_SHARE]).fetchall()
        for schema, name, rows, size in bloated:
            dead += rows
            if not dry_run:
                table = sql.Identifier(schema, name)
                driver.execute(sql.SQL("VACUUM (ANALYZE, SKIP_LOCKED) {}").format(table))
                freed += max(size - _size(driver, schema, name), 0)
    told = ", ".join(f"{schema}.{name} ({rows} dead)" for schema, name, rows, _ in bloated[:5]) or "none has many"
    return Tidied("tables", len(bloated), freed, f"{dead} dead rows: {told}")


def _size(driver: psycopg.Connection, schema: str, name: str) -> int:
    found = driver.execute(sql.SQL("SELECT pg_total_relation_size({}::regclass)").format(f"{schema}.{name}")).fetchone()
    return int(found[0]) if found else 0
