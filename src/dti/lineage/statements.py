"""The SQL files that run, each as what it writes: a relation, its columns, and the query they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import sqlglot
from sqlglot import exp

from dti.lineage.model import Tables
from dti.settings import Settings

FOLDERS = ("rollup", "metrics", "index", "publication", "marts")
METRIC_TABLES = ("score.metric_value", "score.metric_part")
_SEARCHED = ("facts", "ref")
"""Where the loader finds tables that are named without a schema."""
_HEAD = {"pg_temp.head": "published.publication"}
_FUNCTION = re.compile(r"create function (?P<name>[\w.]+)\(.*?returns table \((?P<columns>.*?)\n\)", re.DOTALL)
_RETURNED = re.compile(r"return query\s(?P<query>.*);\s*end\s*\$\$", re.DOTALL)


class Statement(NamedTuple):
    """One query and where its output columns go, by position."""

    target: str
    columns: tuple[str, ...] | None
    query: exp.Expr
    dialect: str
    file: str


def sql_files(settings: Settings) -> list[Path]:
    """Every SQL file that makes a column: rollup, metrics, index, publication, marts."""
    return [path for folder in FOLDERS for path in sorted((settings.include_dir / "sql" / folder).glob("*.sql"))]


def statements(settings: Settings, tables: Tables) -> Iterator[Statement]:
    """What each file writes. Raises ``sqlglot.errors.ParseError`` for SQL that SQLGlot cannot read."""
    for path in sql_files(settings):
        file = str(path.relative_to(settings.include_dir.parent))
        for target, columns, query, dialect in _read(path):
            yield Statement(target, columns, _named(query, path, tables), dialect, file)


def _read(path: Path) -> Iterator[tuple[str, tuple[str, ...] | None, exp.Expr, str]]:
    folder, source = path.parent.name, path.read_text("utf-8")
    if folder == "rollup":
        yield f"facts.{path.stem}", None, sqlglot.parse_one(source, dialect="duckdb"), "duckdb"
        return
    if folder == "marts" and (function := _FUNCTION.search(source)):
        query = _RETURNED.search(source)
        if query is None:
            raise LookupError(f"{path}: a function that returns a table without 'return query'")
        names = re.findall(r"^\s+(\w+) ", "\n" + function["columns"], re.MULTILINE)
        yield function["name"], tuple(names), sqlglot.parse_one(query["query"], dialect="postgres"), "postgres"
        return
    if folder == "marts" and "create function" in source:
        return  # one value: whoever calls it names it
    statement = next(each for each in sqlglot.parse(source, dialect="postgres") if each is not None)
    if folder == "metrics":
        for target in METRIC_TABLES:
            yield target, None, statement.copy(), "postgres"
    elif isinstance(statement, exp.Create):
        yield _full(statement.find(exp.Table)), None, statement.expression, "postgres"
    elif isinstance(statement, exp.Insert):
        target = _full(statement.this.this)
        columns = tuple(column.name for column in statement.this.expressions)
        yield _HEAD.get(target, target), columns, statement.expression, "postgres"
    elif isinstance(statement, exp.Update):
        yield _full(statement.this), None, _as_query(statement), "postgres"
    else:
        raise LookupError(f"{path}: neither a view, a query, an insert nor an update")


def _as_query(update: exp.Update) -> exp.Expr:
    """What an update sets, as the query that gives the same values."""
    values = [exp.alias_(each.expression.copy(), each.this.name) for each in update.expressions]
    query = exp.select(*values).from_(update.this.copy())
    if (more := update.args.get("from_")) is not None:
        query = query.join(more.this.copy(), join_type="cross")
    query.set("with_", update.args.get("with_"))
    query.set("where", update.args.get("where"))
    return query


def _named(query: exp.Expr, path: Path, tables: Tables) -> exp.Expr:
    """The query with a schema before every table, as the session's search path finds it."""
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if table.db or table.name in own or not isinstance(table.this, exp.Identifier):
            continue
        if path.parent.name == "rollup":
            alias = table.alias or table.name
            table.set("this", exp.to_identifier(path.stem))
            table.set("db", exp.to_identifier("lake"))
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
            continue
        schema = next((each for each in _SEARCHED if table.name in tables.get(each, {})), None)
        if schema is None:
            raise LookupError(f"{path}: no table {table.name}")
        table.set("db", exp.to_identifier(schema))
    return query


def _full(table: exp.Expr | None) -> str:
    if not isinstance(table, exp.Table):
        raise LookupError("a statement without a table")
    return f"{table.db}.{table.name}"
