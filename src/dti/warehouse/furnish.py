"""A server of one's own, furnished as the embedded one is: by its superuser, before anybody works in it."""

from __future__ import annotations

import psycopg
from sqlalchemy import URL

from dti.errors import ConfigError
from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.bootstrap import DATABASES, bootstrap


def furnish(settings: Settings, airflow: URL) -> None:
    """Make logins, databases and closed doors on the server of ``DTI_SUPERUSER_URL``; ``airflow`` is Airflow's login.

    The logins are those of the URLs that the installation works with, so a password changed there is changed on the
    server. Repeating it changes nothing else. Raises ConfigError when a URL names another login or database than the
    ones that are made here, and WarehouseError when the server refuses.
    """
    superuser = connect.superuser_url(settings)
    if superuser is None:
        raise ConfigError("not set", where="DTI_SUPERUSER_URL", remedy="set it to the superuser's URL of that server")
    logins = {
        "DTI_WAREHOUSE_URL": (connect.url(settings, "owner"), "dti_owner", "dti"),
        "DTI_ANALYST_URL": (connect.url(settings, "analyst"), "dti_analyst", "dti"),
        "Airflow's database": (airflow, "airflow", "airflow"),
    }
    for name, (login, role, database) in logins.items():
        _check(name, login, role, database)
    try:
        bootstrap(superuser, {role: str(login.password) for login, role, _ in logins.values()})
    except psycopg.OperationalError as fault:
        raise connect.gone(fault, superuser) from None


def _check(name: str, login: URL, role: str, database: str) -> None:
    if (login.username, login.database) != (role, database) or not login.password:
        raise ConfigError(
            f"names {connect.server_name(login)}",
            where=name,
            remedy=f"write it as {role}:PASSWORD@SERVER/{database}: databases {' and '.join(DATABASES)} are made here",
        )
