"""The embedded server's superuser gets another password, and logins that are in use keep theirs."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql
from sqlalchemy import URL

from dti.errors import WarehouseError
from dti.secrets import forget, known, move, secret
from dti.settings import Settings

SUPERUSER = "postgres"
_NAME, _NEXT = f"{SUPERUSER}_password", f"{SUPERUSER}_password_next"


def refuse_in_use(superuser: URL, logins: Sequence[str]) -> None:
    """Raise WarehouseError while somebody works with one of ``logins``: their next connection would be refused."""
    with _connect(superuser) as connection:
        found = connection.execute(
            """
            SELECT usename::text, count(*) FROM pg_stat_activity
            WHERE usename = ANY (%s) AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            GROUP BY usename ORDER BY usename
            """,
            [list(logins)],
        ).fetchall()
    if found:
        raise WarehouseError(
            f"in use: {', '.join(f'{login} has {count} session(s)' for login, count in found)}",
            where="secrets",
            remedy="wait for the night to end and run make down, then repeat; nothing was changed",
        )


def change_superuser(settings: Settings, superuser: URL) -> None:
    """Give the superuser a new password. The file names it before the server takes it, see :func:`settle`."""
    forget(settings, _NEXT)
    password = secret(settings, _NEXT)
    with _connect(superuser) as connection:
        verifier = connection.pgconn.encrypt_password(password.encode(), SUPERUSER.encode(), b"scram-sha-256").decode()
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(SUPERUSER), sql.Literal(verifier))
        )
    move(settings, _NEXT, _NAME)


def settle(settings: Settings, superuser: URL) -> None:
    """Where a change of the superuser's password was killed, find out which one the server has, and keep that."""
    if (password := known(settings, _NEXT)) is None:
        return
    try:
        _connect(superuser.set(password=password)).close()
    except psycopg.OperationalError as fault:
        if "password authentication failed" not in str(fault):
            raise WarehouseError(
                " ".join(str(fault).split()), where="postgres", remedy="see that the server runs, then repeat"
            ) from None
        forget(settings, _NEXT)
    else:
        move(settings, _NEXT, _NAME)


def _connect(superuser: URL) -> psycopg.Connection:
    login = superuser.set(drivername="postgresql").render_as_string(False)
    return psycopg.connect(login, autocommit=True, connect_timeout=10)
