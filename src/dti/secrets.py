"""Secrets that this installation makes for itself: PostgreSQL's passwords, Airflow's keys, the pseudonym key.

They stand in ``DTI_HOME/secrets.json``, readable by one user only. A secret is made once and never changes: the
pseudonym of a person must stay the same from night to night, and PostgreSQL keeps only a hash of its passwords.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets as generator
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dti.errors import ConfigError
from dti.settings import Settings

MIN_KEY_LENGTH = 16
"""Identity numbers have twelve digits: a short key would let anyone try them all."""


def pseudonym_key(settings: Settings) -> bytes:
    """Key of the HMAC-SHA256 over personal data: ``DTI_PSEUDONYM_KEY``, else one generated for this DTI_HOME.

    Raises ConfigError when the given key is too short to protect anyone.
    """
    given = settings.pseudonym_key.get_secret_value() if settings.pseudonym_key else ""
    if given and len(given) < MIN_KEY_LENGTH:
        raise ConfigError(
            f"shorter than {MIN_KEY_LENGTH} characters",
            where="DTI_PSEUDONYM_KEY",
            remedy="set a long random key and keep it, or unset it to have one generated",
        )
    return (given or secret(settings, "pseudonym_key")).encode()


def secret(settings: Settings, name: str) -> str:
    """The secret called ``name``: 43 URL-safe characters (256 bits), made on first use.

    Safe with any number of processes: one makes it, all read the same. Raises ConfigError when the file is broken.
    """
    path = settings.home_dir / "secrets.json"
    if (known := _read(path).get(name)) is not None:
        return known
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    with _locked(settings.home_dir / "secrets.lock"):
        held = _read(path)
        if name not in held:
            held[name] = generator.token_urlsafe(32)
            _replace(path, json.dumps(held, indent=1, sort_keys=True) + "\n")
        return held[name]


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    try:
        held = json.loads(text)
    except json.JSONDecodeError:
        held = None
    if not isinstance(held, dict) or not all(isinstance(v, str) for v in held.values()):
        raise ConfigError(
            "not a JSON object of names and secrets",
            where=str(path),
            remedy="restore it from a backup; it cannot be remade",
        ) from None
    return held


def _replace(path: Path, text: str) -> None:
    """Write whole or not at all, never readable by others, not even for a moment."""
    draft = path.with_suffix(".json.tmp")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process or thread at a time; the kernel lets go when the holder dies."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
