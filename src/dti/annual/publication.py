"""A publication as a value, and which one is the newest."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

from dti.annual.model import RequestError
from dti.settings import Settings
from dti.warehouse.connect import engine


class Publication(BaseModel):
    """One row of ``published.publication``: what was published, from what, by whom, why. Moments carry a zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    publication_id: str
    year: int
    version: int
    family: str
    geography: str
    framework_id: str
    framework_hash: str
    framework_name: str
    framework_name_en: str
    decision: str
    framework_in_force: bool
    merge_method: str
    run_id: str
    parts_run_id: str | None
    request_id: str
    period_from: date
    period_to: date
    as_of_date: date
    data_cut_off: datetime
    known: list[dict[str, Any]]
    corrections_hash: str | None
    reference_hash: str
    sql_hash: str
    synthetic: bool
    units_count: int
    reason: str
    requester: str
    approver: str
    approved_at: datetime
    note: str
    published_at: datetime
    checksum: str


def get_publication(publication_id: str, *, settings: Settings) -> Publication:
    """The publication of that id. Raises RequestError naming those there are."""
    with engine(settings, "loader").connect() as connection:
        return read_publication(connection, publication_id)


def read_publication(connection: Connection, publication_id: str) -> Publication:
    """The publication of that id, in the caller's transaction."""
    query = text("select * from published.publication where publication_id = :id")
    row = connection.execute(query, {"id": publication_id}).mappings().one_or_none()
    if row is None:
        query = text("select publication_id from published.publication order by published_at desc limit 5")
        names = ", ".join(connection.execute(query).scalars())
        raise RequestError(
            "no such publication", where=publication_id, remedy=f"newest: {names}" if names else "nothing is published"
        )
    return Publication.model_validate(dict(row))


def next_version(connection: Connection, year: int, family: str, geography: str) -> int:
    """The version that the next publication of this year, family and geography gets; only under the year's lock."""
    query = "select coalesce(max(version), 0) + 1 from published.publication"
    which = " where year = :year and family = :family and geography = :geography"
    known = {"year": year, "family": family, "geography": geography}
    return int(connection.execute(text(query + which), known).scalar_one())
