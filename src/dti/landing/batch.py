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


class Release(BaseModel):
    """A batch that landed again: rows the gate held back, which a person vouches for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    released_from: str = Field(description="The batch whose quarantined rows these are.")
    rows: str = Field(
        description="Which of them, by their numbers there: '3,7-9'; 'all': the whole of a stopped batch."
    )
    released_by: str
    reason: str
    waived_rules: list[str] = Field(description="Rules that hold none of these rows back, and stop nothing.")
    landed_at: datetime = Field(description="When the rows came from the agency: they are no newer than that.")


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
    records_count: int = Field(default=0, description="Records as they came, those sent twice counted twice.")
    field_counts: dict[str, int] = Field(default_factory=dict, description="Column → records that had its field.")
    value_kinds: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="Text column of a REST source → JSON type → how many of its values."
    )
    source_files: list[str] = Field(default_factory=list, description="Names of the files read, for tables.")
    fault: Fault | None = None
    release: Release | None = Field(default=None, description="Set when nothing was pulled: rows released.")
    started_at: datetime
    finished_at: datetime
    source_hash: str
    contract_hash: str

    @property
    def landed_at(self) -> datetime:
        """When the agency gave these rows; of released ones, when they first landed."""
        return self.release.landed_at if self.release else self.finished_at
