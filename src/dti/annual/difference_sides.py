"""What a candidate is compared with, laid beside it in schema ``score`` for as long as it is compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, column, insert, literal, select, table

from dti.annual.checks_sql import rows, statement
from dti.annual.difference_model import Side
from dti.annual.model import RequestError
from dti.settings import Settings


@dataclass(frozen=True)
class Sides:
    """A candidate with the last publication of its year and family, and with the newest night of its year."""

    candidate: Side
    publication: Side | None
    night: Side | None

    @property
    def base(self) -> Side | None:
        """What the candidate is held against: the last publication, without one the newest night with its method."""
        if self.publication is not None and self.publication.geography == self.candidate.geography:
            return self.publication
        night = self.night
        if night is None or night.geography != self.candidate.geography:
            return None
        return night if night.framework_id == self.candidate.framework_id else None


@contextmanager
def laid_beside(connection: Connection, run_id: str, settings: Settings) -> Iterator[Sides]:
    """The sides of a candidate. What was published is laid into schema ``score`` under a name of its own, where the
    functions that compare two runs find it, and is gone again at the end: its run may have been computed anew since.

    Runs in the caller's transaction, as the loader. Raises RequestError when the candidate is not there.
    """
    known = {"run_id": run_id}
    found = rows(connection, settings, "difference/candidate", **known)
    if not found:
        raise RequestError("no such candidate", where=run_id, remedy="compute it first")
    candidate = Side(kind="candidate", at=run_id, **found[0])
    published = rows(connection, settings, "difference/last_publication", **known)
    nights = rows(connection, settings, "difference/newest_night", **known)
    night = Side(kind="night", at=nights[0]["run_id"], **nights[0]) if nights else None
    with connection.begin_nested() as laid:
        publication = None
        if published:
            publication = Side(kind="publication", at=f"publication {published[0]['publication_id']}", **published[0])
            _lay(connection, publication, settings)
        yield Sides(candidate, publication, night)
        laid.rollback()


def _lay(connection: Connection, side: Side, settings: Settings) -> None:
    known = {"run_id": side.at, "publication_id": side.publication_id}
    connection.execute(statement(settings, "difference/laid_run"), known)
    for each in rows(connection, settings, "difference/laid_column"):
        names = each["columns"]
        kept = table(each["name"], column("publication_id"), *map(column, names), schema="published")
        score = table(each["name"], column("run_id"), *map(column, names), schema="score")
        mine = select(literal(side.at), *(kept.c[name] for name in names)).where(
            kept.c.publication_id == side.publication_id
        )
        connection.execute(insert(score).from_select(["run_id", *names], mine))
