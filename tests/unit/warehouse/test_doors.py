"""The embedded server's doors: every login, every database, replication, and every address of this machine."""

from __future__ import annotations

import itertools
import json
import socket

import psutil
import psycopg
import pytest
from sqlalchemy import URL

from dti.settings import Settings
from dti.warehouse import connect, embedded

DATABASES = ("dti", "airflow", "postgres", "template1")
REPLICATION = (None, "database", "true")


@pytest.fixture
def logins(warehouse: Settings) -> list[URL]:
    urls = embedded.ensure_running(warehouse)
    return [urls.superuser, urls.owner, urls.loader, urls.analyst, urls.airflow]


def knock(login: URL, **changes: object) -> psycopg.Connection:
    given = {
        "host": login.query["host"],
        "user": login.username,
        "password": login.password,
        "dbname": login.database,
        "passfile": "/dev/null",
        "connect_timeout": 2,
    }
    return psycopg.connect(**{name: value for name, value in (given | changes).items() if value is not None})


def test_nobody_gets_into_any_database_without_a_password_nor_by_replication(
    logins: list[URL], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    for login in logins:
        knock(login).close()
    for login, database, replication in itertools.product(logins, DATABASES, REPLICATION):
        for wrong in (None, "wrong", str(login.username)):
            with pytest.raises(psycopg.OperationalError, match=r"password|no pg_hba\.conf entry for replication"):
                knock(login, dbname=database, password=wrong, replication=replication)
    for role in ("dti_keeper", "dti_steward"):  # roles that are nobody's login
        with pytest.raises(psycopg.OperationalError, match=r"password|not permitted to log in"):
            knock(logins[0], user=role, password="wrong")
    for login in logins:  # the whole cluster is copied by nobody, not even with the right password
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry for replication"):
            knock(login, replication="true")


def test_every_password_is_kept_as_a_salted_hash(warehouse: Settings, logins: list[URL]) -> None:
    with knock(logins[0]) as connection:
        kept = dict(connection.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin").fetchall())
    assert kept.keys() == {login.username for login in logins}
    assert all(str(secret).startswith("SCRAM-SHA-256$") for secret in kept.values())
    assert len({str(login.password) for login in logins}) == len(logins), "no two logins share one"
    assert all(len(str(login.password)) >= 43 for login in logins)


def test_no_address_of_this_machine_leads_in_even_with_the_right_password(
    warehouse: Settings, logins: list[URL]
) -> None:
    with connect.connect(warehouse, "owner") as connection:
        shown = dict(
            connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'port')"
            ).fetchall()
        )
    assert shown["listen_addresses"] == ""
    addresses = {
        each.address
        for found in psutil.net_if_addrs().values()
        for each in found
        if each.family in (socket.AF_INET, socket.AF_INET6)
    }
    assert "127.0.0.1" in addresses
    for address in addresses:
        for login in logins:
            with pytest.raises(psycopg.OperationalError):
                knock(login, host=address, port=shown["port"])


def test_passwords_that_are_taken_out_are_made_and_set_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(home=tmp_path_factory.mktemp("rotated"))
    kept, roles = settings.home_dir / "secrets.json", ("owner", "loader", "analyst", "airflow")
    try:
        old = embedded.ensure_running(settings)
        held = json.loads(kept.read_text())
        names = {f"{getattr(old, role).username}_password" for role in roles}
        kept.write_text(json.dumps({name: secret for name, secret in held.items() if name not in names}))
        (settings.home_dir / "postgres" / "ready").unlink()
        new = embedded.ensure_running(settings)
        assert kept.stat().st_mode & 0o777 == 0o600
        for role in roles:
            knock(getattr(new, role)).close()
            with pytest.raises(psycopg.OperationalError, match="password"):
                knock(getattr(old, role))
    finally:
        embedded.stop(settings)
