"""One SELECT of an analyst: read only, in marts, for a limited time."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg

from dti.errors import DtiError
from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.marts import MARTS_QUERY

TIMEOUT_SECONDS = 60
CHUNK_ROWS = 5_000
Row = tuple[Any, ...]
_QUERIES = ("select", "with", "values", "table")
_BEFORE = 'DECLARE "question" CURSOR FOR '
"""What psycopg puts before the body of a cursor; positions in errors count from its start."""


class QueryError(DtiError):
    """A question the warehouse will not answer; the remedy says how to ask instead."""

    kind = "query"


def run_select(
    sql: str,
    settings: Settings,
    parameters: Mapping[str, Any] | None = None,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> tuple[list[str], Iterator[Row]]:
    """Column names and rows of one SELECT, asked with the analysts' own login.

    With ``parameters``, ``%(name)s`` in the statement stands for a value. The statement becomes the body of a
    cursor, so that nothing but a single query can run; rows are fetched in chunks. Names without a schema are looked
    up in marts. Raises QueryError naming the remedy, also while rows are read, and WarehouseError or ConfigError when
    there is no connection.
    """
    question = sql.strip().rstrip(";").strip()
    if not question:
        raise QueryError("empty", where="query", remedy="write a SELECT, such as: select * from marts.feed_freshness")
    connection = connect.connect(settings, "analyst")
    try:
        connection.read_only = True
        connection.execute(f"SET statement_timeout = {max(1, round(timeout_seconds * 1000))}")
        cursor = connection.cursor(name="question")
        cursor.execute(question.encode(), parameters)
        columns = [column.name for column in cursor.description or []]
        first = cursor.fetchmany(CHUNK_ROWS)
    except psycopg.Error as fault:
        error = _explained(fault, question, timeout_seconds, connection)
        connection.close()
        raise error from None
    if len(first) < CHUNK_ROWS:
        connection.close()
        return columns, iter(first)
    return columns, itertools.chain(first, _rest(connection, cursor, question, timeout_seconds))


def _rest(
    connection: psycopg.Connection, cursor: psycopg.ServerCursor, question: str, timeout_seconds: float
) -> Iterator[Row]:
    with closing(connection):
        try:
            while rows := cursor.fetchmany(CHUNK_ROWS):
                yield from rows
        except psycopg.Error as fault:
            raise _explained(fault, question, timeout_seconds, connection) from None


def _explained(
    fault: psycopg.Error, question: str, timeout_seconds: float, connection: psycopg.Connection
) -> QueryError:
    """What went wrong and what to do; ``connection`` is asked for the views that exist."""
    what = fault.diag.message_primary or " ".join(str(fault).split())
    if connection.broken:
        return QueryError(what, where="query", remedy="check that the server runs, then repeat")
    connection.rollback()
    remedy = fault.diag.message_hint or "mend the query"
    match fault:
        case psycopg.errors.QueryCanceled():
            what, remedy = f"took longer than {timeout_seconds:g} s", "narrow it: fewer runs, units or days"
        case psycopg.errors.UndefinedTable() | psycopg.errors.InvalidSchemaName():
            remedy = _views(connection, what)
        case psycopg.errors.InsufficientPrivilege():
            remedy = f"analysts read the schema marts only; {_views(connection, '')}"
        case psycopg.errors.ReadOnlySqlTransaction() | psycopg.errors.FeatureNotSupported():
            remedy = "only a SELECT that changes nothing can run"
        case psycopg.errors.SyntaxError() if "multiple commands" in what:
            what, remedy = "more than one statement", "ask one SELECT at a time"
        case psycopg.errors.SyntaxError() if (word := _first_word(question)) not in _QUERIES:
            what, remedy = f"not a SELECT: {word}", "only a SELECT can run; analysts change nothing"
    return QueryError(what, where=_place(fault, question), remedy=remedy)


def _place(fault: psycopg.Error, question: str) -> str:
    """The line and the word at which the server stopped, where it says so."""
    position = int(fault.diag.statement_position or 0) - 1 - len(_BEFORE)
    if position < 0 or not (rest := question[position:].split()):
        return "query"
    return f"query, line {question.count(chr(10), 0, position) + 1}, at {rest[0][:40]!r}"


def _first_word(question: str) -> str:
    """The first keyword, behind comments and brackets."""
    bare = re.sub(r"^(\s|\(|--[^\n]*(\n|$)|/\*.*?\*/)+", "", question, flags=re.DOTALL)
    return (bare.split() or [""])[0].lower()[:40]


def _views(connection: psycopg.Connection, what: str) -> str:
    """The views there are, or the one that resembles the name quoted in ``what``."""
    names = [name for (name,) in connection.execute(MARTS_QUERY).fetchall()]
    asked = what.split('"')[1].split(".")[-1] if what.count('"') >= 2 else ""
    if close := difflib.get_close_matches(asked, names, n=1):
        return f"did you mean marts.{close[0]}?"
    return f"views: {', '.join(f'marts.{name}' for name in names)}"
