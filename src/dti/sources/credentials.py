"""Credentials by connection id: from Airflow in a task, from ``AIRFLOW_CONN_*`` outside it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from dti.errors import ConfigError


class Credentials(BaseModel):
    """Login and secret of one agency system; for OAuth2 they are client id and client secret."""

    model_config = ConfigDict(frozen=True)

    login: str
    password: SecretStr


CredentialsLookup = Callable[[str], Credentials]


def credentials_from_environment(connection_id: str) -> Credentials:
    """Read ``AIRFLOW_CONN_<ID>`` as Airflow does, as JSON or as a URI. Raises ConfigError when it is not set."""
    name = f"AIRFLOW_CONN_{connection_id.upper()}"
    text = os.environ.get(name)
    if not text:
        raise ConfigError(
            "connection is not defined",
            where=connection_id,
            remedy=f"add it in Airflow, or set {name} in the environment",
        )
    if text.lstrip().startswith("{"):
        try:
            fields = json.loads(text)
        except json.JSONDecodeError:
            raise ConfigError(f"{name} is not JSON", where=connection_id, remedy="mend the variable") from None
        return Credentials(login=fields.get("login") or "", password=SecretStr(fields.get("password") or ""))
    parts = urlsplit(text)
    return Credentials(login=unquote(parts.username or ""), password=SecretStr(unquote(parts.password or "")))
