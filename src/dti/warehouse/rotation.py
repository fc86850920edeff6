"""Which secrets this installation has, what each is for, and how it is replaced by a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dti import secrets
from dti.errors import ConfigError
from dti.settings import Settings
from dti.warehouse import embedded

BEFORE = "airflow_fernet_key_before"
"""The key that went: Airflow reads with it until ``make up`` has written everything anew."""


@dataclass(frozen=True)
class Secret:
    """One secret; ``login`` is the PostgreSQL login it is the password of."""

    name: str
    what: str
    login: str | None = None
    keep: str | None = None
    fixed: str | None = None


SECRETS = {
    known.name: known
    for known in (
        Secret("dti_owner_password", "PostgreSQL: owns the warehouse, runs migrations", "dti_owner"),
        Secret("dti_loader_password", "PostgreSQL: loads and computes", "dti_loader"),
        Secret("dti_analyst_password", "PostgreSQL: reads the marts (dti sql)", "dti_analyst"),
        Secret("airflow_password", "PostgreSQL: Airflow's own database", "airflow"),
        Secret("postgres_password", "PostgreSQL: superuser", "postgres"),
        Secret("airflow_fernet_key", "encrypts connections and variables in Airflow's database", keep=BEFORE),
        Secret("airflow_jwt_secret", "signs the tokens of Airflow's tasks and logins"),
        Secret("airflow_secret_key", "signs the sessions of Airflow's pages"),
        Secret("airflow_admin_password", "login admin of Airflow's pages"),
        Secret("sandbox_client_secret", "login at the sandbox's agencies"),
        Secret(
            "pseudonym_key",
            "turns names and numbers of persons into pseudonyms",
            fixed="with another key every person would become another one, in landing too, which is never changed",
        ),
    )
}


def rotate(names: Sequence[str], *, settings: Settings) -> list[str]:
    """Replace these secrets by new ones, and return their names in the order it was done.

    It can be killed anywhere and repeated. Raises ConfigError for a name that is none or never changes, and
    WarehouseError when a login is in use; then nothing was changed.
    """
    for name in names:
        _refuse(name)
    logins = [SECRETS[name].login or "" for name in names if SECRETS[name].login]
    if logins:
        embedded.rotate(settings, logins)
    others = [name for name in names if not SECRETS[name].login]
    for name in others:
        secrets.renew(settings, name, keep=SECRETS[name].keep)
    return [*(name for name in names if SECRETS[name].login), *others]


def _refuse(name: str) -> None:
    if name not in SECRETS:
        changing = ", ".join(each.name for each in SECRETS.values() if not each.fixed)
        raise ConfigError("no such secret", where=name, remedy=f"one of: {changing}")
    if reason := SECRETS[name].fixed:
        raise ConfigError(f"never changes: {reason}", where=name, remedy="see docs/runbooks/rotated-secrets.md")
