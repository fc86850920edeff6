"""Credentials of agency systems, and of the object store, from Airflow's connections."""

from __future__ import annotations

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret
from pydantic import SecretStr

from dti.errors import ConfigError
from dti.sources.credentials import Credentials
from dti.store.credentials import CONNECTION_ID, StoreCredentials, credentials_from_environment


def credentials_from_connection(connection_id: str) -> Credentials:
    """Login and password of an Airflow connection; the password is masked in this task's log from here on.

    Raises ConfigError when there is no such connection.
    """
    try:
        connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        raise ConfigError(
            "connection is not defined",
            where=connection_id,
            remedy=f"add it under Admin → Connections, or set AIRFLOW_CONN_{connection_id.upper()}",
        ) from None
    password = connection.password or ""
    mask_secret(password)
    return Credentials(login=connection.login or "", password=SecretStr(password))


def store_credentials() -> StoreCredentials:
    """Key, secret and address of connection ``dti_store``; without one, what the environment says.

    What is secret of it is masked in this task's log from here on.
    """
    try:
        connection = Connection.get(CONNECTION_ID)
    except AirflowNotFoundException:
        return credentials_from_environment()
    found = StoreCredentials.of(connection.login, connection.password, connection.extra_dejson)
    for each in (found.secret, found.session_token):
        if each is not None:
            mask_secret(each.get_secret_value())
    return found
