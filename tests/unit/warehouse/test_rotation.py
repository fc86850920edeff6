"""Secrets are replaced in the server and in the file together, also when whoever does it is killed on the way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dti.cli.app import app
from dti.errors import ConfigError, WarehouseError
from dti.secrets import known, secret
from dti.settings import Settings
from dti.warehouse import connect, embedded
from dti.warehouse.rotation import BEFORE, SECRETS, rotate
from tests.conftest import PROJECT

LOGINS = [each.name for each in SECRETS.values() if each.login]
KILLED = """
import sys
from tests.builders.moments import arm
from dti.settings import Settings
from dti.warehouse.rotation import rotate
arm(sys.argv[1])
rotate(sys.argv[3:], settings=Settings(home=sys.argv[2]))
"""
MOMENTS = (
    "after:dti.warehouse.embedded.refuse_in_use",
    "before:dti.warehouse.embedded.renew",
    "after:dti.warehouse.embedded.renew#2",
    "before:dti.warehouse.embedded._furnish",
    "before:dti.warehouse.embedded.bootstrap",
    "after:dti.warehouse.embedded.bootstrap",
    "after:dti.warehouse.passwords.secret",
    "before:dti.warehouse.passwords.move",
    "after:dti.warehouse.passwords.move",
)


@pytest.fixture(scope="module")
def own() -> Iterator[Settings]:
    """A server of this module's own."""
    home = Path(tempfile.mkdtemp(prefix="dti-rotation-"))
    settings = Settings(home=home)
    try:
        embedded.ensure_running(settings)
        yield settings
    finally:
        embedded.stop(settings)
        shutil.rmtree(home, ignore_errors=True)


def held(settings: Settings) -> dict[str, str]:
    return json.loads((settings.home_dir / "secrets.json").read_text())


def everybody_gets_in(settings: Settings) -> None:
    urls = embedded.ensure_running(settings)
    for login in (urls.owner, urls.loader, urls.analyst, urls.airflow, urls.superuser):
        assert login.password == held(settings)[f"{login.username}_password"]
        connect.connect_url(login, "").close()


def test_every_login_gets_a_new_password_and_the_old_one_opens_nothing(own: Settings) -> None:
    before, old = held(own), embedded.ensure_running(own)
    assert rotate(LOGINS, settings=own) == LOGINS
    everybody_gets_in(own)
    assert {name for name, value in held(own).items() if before.get(name) != value} == set(LOGINS)
    for login in (old.owner, old.loader, old.analyst, old.airflow, old.superuser):
        with pytest.raises(WarehouseError, match="password authentication failed"):
            connect.connect_url(login, "")


def test_a_rotation_killed_anywhere_shuts_nobody_out_and_is_repeated(own: Settings) -> None:
    for moment in MOMENTS:
        command = [sys.executable, "-c", KILLED, moment, str(own.home_dir), *LOGINS]
        assert subprocess.run(command, cwd=PROJECT, capture_output=True).returncode == -9, moment
        everybody_gets_in(own)
        assert "postgres_password_next" not in held(own), moment
    before = held(own)
    rotate(LOGINS, settings=own)
    everybody_gets_in(own)
    assert all(held(own)[name] != before[name] for name in LOGINS)


def test_a_login_that_is_in_use_keeps_its_password(own: Settings) -> None:
    before = held(own)
    with (
        connect.connect_url(embedded.ensure_running(own).loader),
        pytest.raises(WarehouseError, match=r"in use: dti_loader has 1 session.*nothing was changed"),
    ):
        rotate(LOGINS, settings=own)
    assert held(own) == before
    everybody_gets_in(own)


def test_another_fault_than_a_wrong_password_decides_nothing(own: Settings) -> None:
    """The proposal must stay: the server may have it already."""
    from dti.warehouse import passwords

    superuser = embedded.ensure_running(own).superuser
    proposed = secret(own, "postgres_password_next")
    with pytest.raises(WarehouseError, match="then repeat"):
        passwords.settle(own, superuser.set(query={"host": "/nowhere"}))
    assert known(own, "postgres_password_next") == proposed
    passwords.settle(own, superuser)
    assert known(own, "postgres_password_next") is None


def test_airflows_key_stays_readable_until_all_is_written_anew(settings: Settings) -> None:
    first = secret(settings, "airflow_fernet_key")
    rotate(["airflow_fernet_key", "airflow_jwt_secret"], settings=settings)
    rotate(["airflow_fernet_key"], settings=settings)
    assert known(settings, BEFORE) == first, "what is encrypted is still encrypted with the first"
    assert secret(settings, "airflow_fernet_key") != first


def test_a_key_that_must_not_change_and_unknown_names_change_nothing(settings: Settings) -> None:
    before = secret(settings, "airflow_jwt_secret"), secret(settings, "pseudonym_key")
    for name, told in (("pseudonym_key", "never changes"), ("hunter2", "no such secret")):
        with pytest.raises(ConfigError, match=told):
            rotate(["airflow_jwt_secret", name], settings=settings)
    assert (secret(settings, "airflow_jwt_secret"), secret(settings, "pseudonym_key")) == before


def test_the_commands_never_print_a_secret(settings: Settings) -> None:
    secrets = [secret(settings, "airflow_jwt_secret"), secret(settings, "pseudonym_key")]
    shown = CliRunner().invoke(app, ["secrets", "list"])
    done = CliRunner().invoke(app, ["secrets", "rotate", "airflow_jwt_secret"])
    assert (shown.exit_code, done.exit_code) == (0, 0)
    assert "✓ airflow_jwt_secret: replaced" in done.output
    assert "pseudonym_key" in shown.output
    assert "never changes" in shown.output
    for value in [*secrets, *held(settings).values()]:
        assert value not in shown.output + done.output
    assert CliRunner().invoke(app, ["secrets", "rotate"]).exit_code == 1
