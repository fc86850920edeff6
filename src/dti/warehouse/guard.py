"""The guard of schema published: laid by a superuser, so that no login of the project can take it away.

See ``migrations/guard`` for what it is, and ``docs/decisions/0012-sealed-publications.md`` for why.
"""

from __future__ import annotations

import psycopg
from sqlalchemy import Connection

from dti.settings import Settings
from dti.warehouse import connect, embedded
from dti.warehouse.migrate import driver_connection

NONE = "none"
"""What a warehouse is guarded with where our login is no superuser: by triggers and grants alone."""


def possible(connection: Connection, settings: Settings) -> bool:
    """Whether a superuser is at hand: the embedded server's, one that is given, or our own login."""
    status = driver_connection(connection).info.parameter_status("is_superuser")
    return connect.is_embedded(settings) or connect.superuser_url(settings) is not None or status == "on"


def install(settings: Settings) -> None:
    """Seal schema published, or seal it anew; repeating it changes nothing that is published.

    Done as the superuser in a transaction of its own, which sees only what is committed and runs nothing that the
    owner's login could have laid there. Raises WarehouseError when there is no connection.
    """
    owner, loader = connect.url(settings, "owner"), connect.url(settings, "loader")
    superuser = (connect.superuser_url(settings) or owner).set(database=owner.database)
    if connect.is_embedded(settings):
        superuser = embedded.ensure_running(settings).superuser.set(database=owner.database)
    with connect.connect_url(superuser) as connection:
        connection.execute("SET LOCAL lock_timeout = '60s'")
        lay(connection, str(owner.username), str(loader.username), settings)


def lay(connection: psycopg.Connection, owner: str, loader: str, settings: Settings) -> None:
    """Run the guard's files on a superuser's connection, in its transaction, for these two logins."""
    connection.execute("SELECT set_config('dti.owner', %s, true), set_config('dti.loader', %s, true)", [owner, loader])
    for path in sorted((settings.project / "migrations" / "guard").glob("*.sql")):
        connection.execute(path.read_text("utf-8").encode())
