"""Which columns of which tables each output column of a query reads, found by SQLGlot from the query itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from dti.lineage.model import KINDS, Kind, Tables

ROWS = "*"
"""In place of a column: the rows themselves, as ``count(*)`` of a whole table reads them."""


@dataclass
class Reads:
    """What one output column is made of: columns with the way they are read, and, where it reads none, what it is."""

    columns: dict[tuple[str, str], Kind] = field(default_factory=dict)
    made_of: set[str] = field(default_factory=set)

    def take(self, other: Reads, at_least: Kind = "identity") -> None:
        """Add what ``other`` reads, read no more directly than ``at_least``."""
        for column, kind in other.columns.items():
            self.read(column, max(kind, at_least, key=KINDS.index))
        self.made_of |= other.made_of

    def read(self, column: tuple[str, str], kind: Kind) -> None:
        """Add one column; of two ways to read it the more direct one is told."""
        known = self.columns.get(column)
        self.columns[column] = kind if known is None else min(known, kind, key=KINDS.index)


def reads_of(query: exp.Expr, tables: Tables, dialect: str) -> list[tuple[str, Reads]]:
    """Output columns of ``query`` in order, each with what it reads of ``tables`` (schema → table → column → type).

    Names without a schema must have been given one. Raises LookupError or SqlglotError for a column that no table or
    part of the query has: nothing is left out in silence.
    """
    qualified = qualify(
        query.copy(),
        schema=dict[str, object](tables),
        dialect=dialect,
        validate_qualify_columns=False,
        identify=False,
        quote_identifiers=False,
    )
    scope = build_scope(qualified)
    if scope is None:
        raise LookupError(f"no query: {query.sql(dialect)[:80]}")
    return [(name, _output(scope, place)) for place, name in enumerate(_query(qualified).named_selects)]


def _output(scope: Scope, place: int) -> Reads:
    """What the output column at ``place`` of a scope reads."""
    found = Reads()
    if scope.set_operation_scopes:
        for branch in scope.set_operation_scopes:
            found.take(_output(branch, place))
        return found
    expression = scope.expression
    if isinstance(expression, exp.Values):
        for row in expression.expressions:
            found.take(_expression(scope, row.expressions[place]))
        return found
    if isinstance(expression, exp.Unnest):
        return _output_of_array(scope, expression)
    return _expression(scope, _query(expression).selects[place].unalias())


def _expression(scope: Scope, expression: exp.Expr) -> Reads:
    found = Reads()
    bare = isinstance(expression, exp.Column)
    kind: Kind = "identity" if bare else "aggregation" if expression.find(exp.AggFunc) else "transformation"
    for node in _own_nodes(expression):
        if isinstance(node, exp.Column):
            found.take(_column(scope, node), kind)
        elif isinstance(node, exp.Query):
            found.take(_subquery(scope, node), kind)
    if not found.columns and expression.find(exp.Star, exp.Exists):
        found.take(_rows(scope), "indirect")
    if not found.columns and not found.made_of:
        found.made_of.add(expression.sql())
    return found


def _own_nodes(expression: exp.Expr) -> Iterator[exp.Expr]:
    """Columns and subqueries of an expression, without what is inside those subqueries."""
    if isinstance(expression, exp.Query) and not isinstance(expression, exp.Subquery):
        yield expression
        return
    for node in expression.walk(prune=lambda n: isinstance(n, exp.Query) and not isinstance(n, exp.Subquery)):
        if isinstance(node, exp.Column) or (isinstance(node, exp.Query) and not isinstance(node, exp.Subquery)):
            yield node


def _subquery(scope: Scope, query: exp.Query) -> Reads:
    """A query inside an expression: what it gives, and where that is nothing of a table, what chooses its rows."""
    for inner in scope.subquery_scopes:
        if inner.expression is query:
            found = Reads()
            for place in range(len(query.selects)):
                found.take(_output(inner, place))
            if not found.columns:
                found = Reads()
                found.take(_rows(inner), "indirect")
            return found
    raise LookupError(f"a subquery without a scope: {query.sql()[:80]}")


def _rows(scope: Scope) -> Reads:
    """What decides which rows a scope has: its filters, joins and groups; with none of them, the rows of its tables."""
    found = Reads()
    expression = scope.expression
    deciding: list[exp.Expr] = [
        expression.args[name] for name in ("where", "having", "group") if expression.args.get(name)
    ]
    deciding += [join.args["on"] for join in expression.args.get("joins") or [] if join.args.get("on")]
    for part in deciding:
        for node in _own_nodes(part):
            if isinstance(node, exp.Column):
                found.take(_column(scope, node))
            elif isinstance(node, exp.Query):
                found.take(_subquery(scope, node))
    if not found.columns:
        for source in _selected(scope):
            if isinstance(source, exp.Table):
                found.read((_name(source), ROWS), "indirect")
            else:
                found.take(_rows(source))
    return found


def _selected(scope: Scope) -> Iterable[exp.Table | Scope]:
    return [source for _, source in scope.selected_sources.values()]


def _column(scope: Scope, column: exp.Column) -> Reads:
    """What a column named in a scope reads, which may be one of an outer query."""
    at: Scope | None = scope
    while at is not None:
        source = at.sources.get(column.table)
        if source is not None:
            return _from(source, column)
        at = at.parent
    if not column.table:  # an argument or a variable of a function
        return Reads(made_of={column.name})
    raise LookupError(f"{column.sql()} is of no table of the query")


def _from(source: exp.Table | Scope, column: exp.Column) -> Reads:
    if isinstance(source, exp.Table):
        return Reads({(_name(source), column.name): "identity"})
    expression = source.expression
    if isinstance(expression, exp.Lateral):
        return _lateral(source, expression, column)
    names = expression.alias_column_names if isinstance(expression, exp.UDTF) else _query(expression).named_selects
    if column.name not in names:
        raise LookupError(f"{column.sql()} is not among {', '.join(names)}")
    return _output(source, names.index(column.name))


def _lateral(scope: Scope, lateral: exp.Lateral, column: exp.Column) -> Reads:
    """A column of what is joined laterally: a list of values, a query, an array, or a function that gives a table."""
    inner, names = lateral.this.unnest(), lateral.alias_column_names
    if isinstance(inner, exp.Dot):
        return Reads({(f"{inner.this.name}.{inner.expression.name}", column.name): "identity"})
    if isinstance(inner, exp.Unnest):
        return _output_of_array(scope, inner)
    if isinstance(inner, exp.Values):
        found = Reads()
        for row in inner.expressions:
            found.take(_expression(scope, row.expressions[names.index(column.name)]))
        return found
    query = scope.subquery_scopes[-1]
    return _output(query, (names or inner.named_selects).index(column.name))


def _output_of_array(scope: Scope, unnest: exp.Unnest) -> Reads:
    found = Reads()
    for argument in unnest.expressions:
        found.take(_expression(scope, argument), "transformation")
    return found


def _query(expression: exp.Expr) -> exp.Query:
    if not isinstance(expression, exp.Query):
        raise LookupError(f"no query: {expression.sql()[:80]}")
    return expression


def _name(table: exp.Table) -> str:
    return f"{table.db}.{table.name}"
