"""What runs are computed with besides records, kept version by version: reference data, unit aliases, corrections.

A version is known by its content and never changes. ``ops.input_seen`` tells which one stood when.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, text

Kind = Literal["reference", "aliases", "corrections", "framework"]


def content_hash(content: Any) -> str:
    """sha256 over the canonical JSON of ``content``."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def content_of_files(paths: list[Path]) -> dict[str, str]:
    """File name → text, as it is kept."""
    return {path.name: path.read_text("utf-8-sig") for path in paths}


def keep(connection: Connection, kind: Kind, content: Any) -> str:
    """Keep this version of an input, note that it stands from now on, and return its hash."""
    version = content_hash(content)
    connection.execute(
        text(
            "insert into ops.input_version (kind, content_hash, content)"
            " values (:kind, :version, cast(:content as jsonb)) on conflict do nothing"
        ),
        {"kind": kind, "version": version, "content": json.dumps(content, ensure_ascii=False)},
    )
    see(connection, kind, kind, version)
    return version


def see(connection: Connection, kind: Kind, name: str, version: str) -> None:
    """Note that ``version`` stands from now on, unless it already did; in the caller's transaction."""
    if newest(connection, kind, name) == version:
        return
    connection.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"ops.input_seen {kind} {name}"}
    )
    if newest(connection, kind, name) != version:
        connection.execute(
            text("insert into ops.input_seen (kind, name, content_hash) values (:kind, :name, :version)"),
            {"kind": kind, "name": name, "version": version},
        )


def newest(connection: Connection, kind: Kind, name: str) -> str | None:
    """The version that stands now; None: none was ever seen."""
    return _last(connection, kind, name, "")


def stood(connection: Connection, kind: Kind, name: str, at: datetime) -> str | None:
    """The version that stood at the moment ``at``; None: none had been seen by then."""
    return _last(connection, kind, name, " and seen_at <= :at", at=at)


def content(connection: Connection, kind: Kind, version: str) -> Any:
    """What a version holds. Raises LookupError when it was never kept."""
    found = connection.execute(
        text("select content from ops.input_version where kind = :kind and content_hash = :version"),
        {"kind": kind, "version": version},
    ).scalar_one_or_none()
    if found is None:
        raise LookupError(f"{kind} {version}")
    return found


def _last(connection: Connection, kind: Kind, name: str, when: str, **known: object) -> str | None:
    found = connection.execute(
        text(
            "select content_hash from ops.input_seen where kind = :kind and name = :name"  # noqa: S608
            f"{when} order by seen_number desc limit 1"
        ),
        {"kind": kind, "name": name, **known},
    ).scalar_one_or_none()
    return None if found is None else str(found)
