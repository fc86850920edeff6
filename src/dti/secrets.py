"""Secrets that this installation makes for itself: PostgreSQL's passwords, Airflow's keys, the pseudonym key.

They stand in ``DTI_HOME/secrets.json``, readable by one user only. A secret is made once, and changes only when someone
asks for it (``dti secrets rotate``); the pseudonym key never does, because the pseudonym of a person must stay the same
from night to night.
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

    Raises ConfigError when the given key is too short to protect anyone, or when none is given where several machines
    may work on one object store.
    """
    given = settings.pseudonym_key.get_secret_value() if settings.pseudonym_key else ""
    if given and len(given) < MIN_KEY_LENGTH:
        raise ConfigError(
            f"shorter than {MIN_KEY_LENGTH} characters",
            where="DTI_PSEUDONYM_KEY",
            remedy="set a long random key and keep it, or unset it to have one generated",
        )
    if not given and settings.store_url and settings.warehouse_url:
        raise ConfigError(
            "is not set, and each machine that lands in the object store would make a key of its own",
            where="DTI_PSEUDONYM_KEY",
            remedy="set the same long random key on every machine, and keep it",
        )
    return (given or secret(settings, "pseudonym_key")).encode()


def secret(settings: Settings, name: str) -> str:
    """The secret called ``name``: 43 URL-safe characters (256 bits), made on first use.

    Safe with any number of processes: one makes it, all read the same. Raises ConfigError when the file is broken.
    """
    path = settings.local_dir / "secrets.json"
    if (found := _read(path).get(name)) is not None:
        return found
    settings.local_dir.mkdir(parents=True, exist_ok=True)
    with _changing(settings) as held:
        return held.setdefault(name, generator.token_urlsafe(32))


def renew(settings: Settings, name: str, *, keep: str | None = None) -> None:
    """Put a new secret in the place of ``name``; with ``keep``, the one that went stays under that name, if none does.

    Written in one step: whoever reads finds the old state or the new one.
    """
    with _changing(settings) as held:
        if keep and name in held:
            held.setdefault(keep, held[name])
        held[name] = generator.token_urlsafe(32)


def known(settings: Settings, name: str) -> str | None:
    """The secret called ``name`` if there is one; none is made."""
    return _read(settings.local_dir / "secrets.json").get(name)


def names(settings: Settings) -> list[str]:
    """The names of all secrets there are, sorted."""
    return sorted(_read(settings.local_dir / "secrets.json"))


def move(settings: Settings, name: str, place: str) -> None:
    """Let the secret ``name`` be the one called ``place``."""
    with _changing(settings) as held:
        held[place] = held.pop(name)


def forget(settings: Settings, name: str) -> None:
    """Remove a secret; one that is not there is none."""
    with _changing(settings) as held:
        held.pop(name, None)


@contextmanager
def _changing(settings: Settings) -> Iterator[dict[str, str]]:
    """The secrets, to be changed by the block and written when it ends, while nobody else writes."""
    with _locked(settings.local_dir / "secrets.lock"):
        held = _read(path := settings.local_dir / "secrets.json")
        yield held
        _replace(path, json.dumps(held, indent=1, sort_keys=True) + "\n")


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
