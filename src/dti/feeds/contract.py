"""The typed contract of a feed, read from YAML."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from dti.documents import load_yaml
from dti.errors import ConfigError
from dti.settings import get_settings

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
ColumnType = Literal["string", "integer", "decimal", "boolean", "date", "timestamptz"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnDrift(_Strict):
    """What becomes of a source that stops sending one column, or sends it as another type; unset: as the feed has it.

    ``missing_field``: ``stop`` the source with the difference shown, or land the column ``empty``.
    ``retyped_field``: ``stop`` the batch with examples, or send row after row to ``quarantine``.
    """

    missing_field: Literal["stop", "empty"] | None = None
    retyped_field: Literal["stop", "quarantine"] | None = None


class Drift(_Strict):
    """What becomes of a source whose fields are no longer those it was described with; columns may say otherwise.

    ``new_field``: a field that nobody asked for is put on ``record`` in the manifest, or stops the source (``stop``).
    """

    new_field: Literal["record", "stop"] = "record"
    missing_field: Literal["stop", "empty"] = "stop"
    retyped_field: Literal["stop", "quarantine"] = "stop"
    retyped_pct: float = Field(default=50, gt=0, le=100, description="More of a column's values unreadable: retyped.")


class Column(_Strict):
    """One column of a feed.

    ``vi`` is the Vietnamese name users know; ``day_column`` names the column that the gate derives from a
    timestamptz: its calendar day in Asia/Ho_Chi_Minh.
    """

    type: ColumnType
    vi: str
    description: str
    required: bool = False
    unit: str | None = Field(default=None, description="Unit of measure: count, vnd, seconds, share …")
    day_column: Name | None = None
    drift: ColumnDrift = Field(default=ColumnDrift(), description="Where this column differs from the feed's drift.")

    @model_validator(mode="after")
    def _day_needs_time(self) -> Column:
        if self.day_column and self.type != "timestamptz":
            raise ValueError("day_column can only be derived from a timestamptz")
        return self


class PersonalField(_Strict):
    """A field that names a person. It is dropped, or replaced by a keyed pseudonym, before anything is written."""

    action: Literal["drop", "pseudonymise"]
    vi: str
    description: str = ""
    to_column: Name | None = Field(default=None, description="Column that receives the pseudonym.")

    @model_validator(mode="after")
    def _pseudonym_needs_a_place(self) -> PersonalField:
        if (self.action == "pseudonymise") != (self.to_column is not None):
            raise ValueError("to_column goes with action: pseudonymise, and only with it")
        return self


class Contract(_Strict):
    """Everything the rooms need to know of a feed. Grain: one record is one ``key``."""

    feed: Name
    title_vi: str
    title_en: str
    grain: str = Field(description="One sentence: what one row is.")
    owner: str
    key: list[Name] = Field(min_length=1)
    version_column: Name | None = Field(default=None, description="Of two rows with one key the newer wins.")
    day_column: Name = Field(description="The day that decides a row's geography and its partition.")
    partition: Literal["month", "year"] = "month"
    pull: Literal["changes", "snapshot"] = Field(description="Changes since a time, or all there is each night.")
    lookback_days: int = Field(default=0, ge=0, description="How far back a night re-reads changes.")
    freshness_limit_hours: int = Field(gt=0, description="Older than this at the night's end: stale.")
    quarantine_limit_pct: float = Field(default=20.0, gt=0, le=100, description="More than this: batch stopped.")
    drift: Drift = Field(default=Drift(), description="What becomes of a source whose fields change.")
    columns: dict[Name, Column]
    personal: dict[Name, PersonalField] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_hold_together(self) -> Contract:
        known = {"unit_id"} | set(self.columns) | {c.day_column for c in self.columns.values() if c.day_column}
        wanted = {*self.key, self.day_column} | ({self.version_column} if self.version_column else set())
        wanted |= {p.to_column for p in self.personal.values() if p.to_column}
        if missing := sorted(wanted - known):
            raise ValueError(f"not a column of this feed: {', '.join(missing)}")
        if both := sorted(set(self.personal) & set(self.columns)):
            raise ValueError(f"personal and kept at once: {', '.join(both)}")
        if "unit" in self.columns or "unit_id" in self.columns:
            raise ValueError("unit is landed with every feed and unit_id derived from it; do not declare them")
        return self

    def drift_of(self, name: str) -> Drift:
        """The policy for one column (``unit`` included): the feed's, but for what the column says itself."""
        own = self.columns[name].drift.model_dump(exclude_none=True) if name in self.columns else {}
        return self.drift.model_copy(update=own)

    @property
    def landed_columns(self) -> list[str]:
        """Columns of the landing Parquet, all text: unit, the feed's columns, and where the row came from."""
        return ["unit", *self.columns, "source_row"]

    @property
    def content_hash(self) -> str:
        """sha256 over the contract's content, stamped on manifests."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def feed_names(feeds_dir: Path | None = None) -> list[str]:
    """Names of all feeds that have a contract, sorted."""
    return sorted(p.stem for p in (feeds_dir or get_settings().include_dir / "feeds").glob("*.yml"))


@lru_cache(maxsize=64)
def load_contract(feed: str, feeds_dir: Path | None = None) -> Contract:
    """Read ``include/feeds/<feed>.yml``.

    Raises ConfigError naming the file and the faulty key when the file is absent or breaks the schema.
    """
    folder = feeds_dir or get_settings().include_dir / "feeds"
    path = folder / f"{feed}.yml"
    if not _NAME.fullmatch(feed) or not path.is_file():
        known = ", ".join(feed_names(folder)) or "none"
        raise ConfigError("no such feed", where=f"feed {feed[:80]!r}", remedy=f"known feeds: {known}")
    try:
        contract = Contract.model_validate(load_yaml(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as fault:
        raise ConfigError(str(fault), where=str(path), remedy="mend the contract file") from fault
    if contract.feed != feed:
        raise ConfigError(f"declares feed {contract.feed!r}", where=str(path), remedy="name the file after its feed")
    return contract
