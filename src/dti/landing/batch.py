"""The value that extraction hands on: a batch, described by its manifest."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """One Parquet file of a batch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    rows: int
    bytes: int
    sha256: str


class Fault(BaseModel):
    """Why a fetch failed; never holds a secret or personal data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    where: str
    what: str
    remedy: str


class Manifest(BaseModel):
    """What one extraction did. ``rows`` counts landed records; times are zone-aware; the window is half open."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_id: str = Field(description="<source>.<night>.<UTC start, microseconds>: sorts by time in one source.")
    feed: str
    source_id: str
    agency: str
    synthetic: bool
    licence: str
    night: date
    since: datetime
    until: datetime
    outcome: Literal["landed", "failed"]
    rows: int = 0
    parts: list[Part] = Field(default_factory=list)
    sha256: str = Field(default="", description="Over the parts' checksums, in order.")
    requests_count: int = 0
    retries_count: int = 0
    bytes_received: int = 0
    passes_count: int = Field(default=1, description="How often a shifting list was read until it stood still.")
    warnings: list[str] = Field(default_factory=list)
    unmapped_fields: list[str] = Field(default_factory=list, description="What the agency sent and no one asked for.")
    source_files: list[str] = Field(default_factory=list, description="Names of the files read, for tables.")
    fault: Fault | None = None
    started_at: datetime
    finished_at: datetime
    source_hash: str
    contract_hash: str
