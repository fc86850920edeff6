"""Who we are to the object store: by Airflow's connection ``dti_store`` in a task, by the environment outside it."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from dti.errors import ConfigError
from dti.settings import Settings

CONNECTION_ID = "dti_store"
AWS = "s3.amazonaws.com"


class StoreCredentials(BaseModel):
    """Key and secret, and where the store is, as far as the connection says so."""

    model_config = ConfigDict(frozen=True)

    access_key: SecretStr | None = None
    secret: SecretStr | None = None
    session_token: SecretStr | None = None
    endpoint: str | None = None
    region: str | None = None

    @classmethod
    def of(cls, login: str | None, password: str | None, extra: dict[str, object]) -> StoreCredentials:
        """Of a connection of Airflow's type ``aws``: login, password, and of its extra address, region and token."""

        def text(*names: str) -> str | None:
            return next((str(extra[name]) for name in names if extra.get(name)), None)

        token = text("aws_session_token")
        return cls(
            access_key=SecretStr(login) if login else None,
            secret=SecretStr(password) if password else None,
            session_token=SecretStr(token) if token else None,
            endpoint=text("endpoint_url", "host"),
            region=text("region_name", "region"),
        )


Lookup = Callable[[], StoreCredentials]


def credentials_from_environment() -> StoreCredentials:
    """``AIRFLOW_CONN_DTI_STORE`` as Airflow reads it, else ``AWS_*``; else nothing, which is the machine's role."""
    if text := os.environ.get(f"AIRFLOW_CONN_{CONNECTION_ID.upper()}"):
        return _of_connection(text)
    key, secret, token = (
        os.environ.get(f"AWS_{name}") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")
    )
    return StoreCredentials.of(key, secret, {"aws_session_token": token})


_lookup: list[Lookup] = [credentials_from_environment]


def look_up_with(lookup: Lookup) -> None:
    """From now on this process asks ``lookup`` who it is."""
    _lookup[0] = lookup


def options(settings: Settings) -> dict[str, str]:
    """What every client of the store is given, by the names that obstore and deltalake have in common; holds secrets.

    Raises ConfigError for an endpoint that is no address, or is to be spoken to without TLS.
    """
    who = _lookup[0]()
    endpoint = settings.store_endpoint or who.endpoint or _first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    found = {
        "aws_region": settings.store_region or who.region or _first("AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1"
    }
    if who.access_key and who.secret:
        found["aws_access_key_id"] = who.access_key.get_secret_value()
        found["aws_secret_access_key"] = who.secret.get_secret_value()
    if who.session_token:
        found["aws_session_token"] = who.session_token.get_secret_value()
    if endpoint:
        found["aws_endpoint_url"] = _checked(endpoint, settings)
    return found


def _checked(endpoint: str, settings: Settings) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ConfigError(
            "is no address of a store", where="DTI_STORE_ENDPOINT", remedy="write it such as https://minio.example:9000"
        )
    if parts.scheme == "http" and not settings.store_allow_http and not _is_here(parts.hostname):
        raise ConfigError(
            f"http://{parts.hostname} would send records in the open",
            where="DTI_STORE_ENDPOINT",
            remedy="use https://; in a network of your own, set DTI_STORE_ALLOW_HTTP=true",
        )
    return endpoint.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _of_connection(text: str) -> StoreCredentials:
    if text.lstrip().startswith("{"):
        try:
            fields = json.loads(text)
            extra = fields.get("extra") or {}
            extra = json.loads(extra) if isinstance(extra, str) else extra
        except json.JSONDecodeError:
            raise ConfigError(
                "is not JSON", where=f"AIRFLOW_CONN_{CONNECTION_ID.upper()}", remedy="mend the variable"
            ) from None
        return StoreCredentials.of(fields.get("login"), fields.get("password"), extra)
    parts = urlsplit(text)
    extra = dict(parse_qsl(parts.query))
    if "__extra__" in extra:
        extra |= json.loads(extra["__extra__"])
    return StoreCredentials.of(unquote(parts.username or ""), unquote(parts.password or ""), extra)
