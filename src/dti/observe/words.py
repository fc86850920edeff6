"""What may be told of a fault outside of this process: our own words, without secrets and without persons."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dti.errors import DtiError, printable
from dti.settings import Settings
from dti.sources.masking import by_form, forms_of, without

MAX_TEXT = 2_000
_SECRET_NAMES = ("PASSWORD", "SECRET", "TOKEN", "API_KEY", "HEADERS")


def in_our_words(fault: BaseException, settings: Settings) -> str:
    """What a fault says, if it is one of ours; the text of any other may hold anything and stays out."""
    if not isinstance(fault, DtiError):
        return f"unexpected {type(fault).__name__}; the traceback is in the task's log"
    return tellable(str(fault), settings)


def tellable(text: str, settings: Settings) -> str:
    """``text`` without the secrets this process knows, and without persons as far as they are told by form."""
    return by_form(without(printable(text)[:MAX_TEXT], _secrets(settings)))


def _secrets(settings: Settings) -> set[str]:
    found: set[str] = set()
    for login, secret in _known(settings):
        found |= forms_of(secret, login)
    return found


def _known(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every login and secret of DTI_HOME, of the settings, and of the environment's connections and keys."""
    yield from (("", value) for value in _kept(settings.local_dir / "secrets.json"))
    if settings.pseudonym_key is not None:
        yield "", settings.pseudonym_key.get_secret_value()
    for url in (settings.warehouse_url, settings.analyst_url):
        if url is not None:
            yield from _of_url(url.get_secret_value())
    for name, value in os.environ.items():
        if name.startswith("AIRFLOW_CONN_"):
            yield from _of_connection(value)
        elif any(word in name.upper() for word in _SECRET_NAMES):
            yield "", value


def _kept(path: Path) -> list[str]:
    try:
        held = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [value for value in held.values() if isinstance(value, str)] if isinstance(held, dict) else []


def _of_connection(text: str) -> Iterator[tuple[str, str]]:
    if not text.lstrip().startswith("{"):
        yield from _of_url(text)
        return
    try:
        held = json.loads(text)
    except ValueError:
        return
    if isinstance(held, dict):
        yield str(held.get("login") or ""), str(held.get("password") or "")


def _of_url(text: str) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(text)
        yield unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        return
