"""Frameworks in the warehouse, known by their content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, TableClause, column, table, text
from sqlalchemy.dialects.postgresql import insert

from dti.index.model import Framework, InForce
from dti.warehouse import inputs

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Method:
    """One version of a framework, as far as a run must know it beyond what SQL reads."""

    framework_id: str
    framework_hash: str
    family: str
    unit_level: str
    geography: str | None
    in_force: InForce


def method_of(framework: Framework) -> Method:
    """The version that stands in the files."""
    return Method(
        framework.framework_id,
        framework.content_hash,
        framework.family,
        framework.unit_level,
        framework.geography,
        framework.in_force,
    )


def stored_method(connection: Connection, framework_id: str, framework_hash: str) -> Method:
    """A version that was stored before. Raises LookupError when there is none."""
    row = connection.execute(
        text(
            "select family, unit_level, geography, from_year, to_year from method.framework"
            " where framework_id = :id and framework_hash = :hash"
        ),
        {"id": framework_id, "hash": framework_hash},
    ).one_or_none()
    if row is None:
        raise LookupError(f"{framework_id} {framework_hash}")
    years = InForce(from_year=row.from_year, to_year=row.to_year)
    return Method(framework_id, framework_hash, row.family, row.unit_level, row.geography, years)


def store_framework(connection: Connection, framework: Framework) -> None:
    """Write ``framework`` into schema ``method`` unless this very content is there already.

    What is stored is never changed: an edited framework has another hash and is stored beside the old one, and it is
    noted that it stands from now on. Runs in the caller's transaction, as the loader; two callers store it once.
    """
    inputs.see(connection, "framework", framework.framework_id, framework.content_hash)
    key = {"framework_id": framework.framework_id, "framework_hash": framework.content_hash}
    head = key | _head(framework)
    table_head = _table("framework", head)
    new = insert(table_head).values(head).on_conflict_do_nothing().returning(table_head.c.framework_hash)
    if connection.execute(new).first() is None:
        return
    for name, rows in _parts(framework).items():
        if rows:
            connection.execute(insert(_table(name, key | rows[0])), [key | row for row in rows])


def _table(name: str, row: dict[str, Any]) -> TableClause:
    return table(name, *map(column, row), schema="method")


def _head(framework: Framework) -> dict[str, Any]:
    return {
        "family": framework.family,
        "decision": framework.decision,
        "decided_on": framework.decided_on,
        "name_vi": framework.name_vi,
        "name_en": framework.name_en,
        "unit_level": framework.unit_level,
        "geography": framework.geography,
        "from_year": framework.in_force.from_year,
        "to_year": framework.in_force.to_year,
        "max_points": framework.max_points,
        "decimals": framework.rounding.decimals,
        "ranking": framework.ranking,
        "basis_order": list(framework.basis_order),
        "sources": list(framework.sources),
    }


def _parts(framework: Framework) -> dict[str, Rows]:
    """Table of schema ``method`` → its rows, in an order that foreign keys allow."""
    composites = list(enumerate(framework.composites.items(), start=1))
    return {
        "pillar": [
            {"pillar_code": pillar.code, "position": position}
            | pillar.model_dump(include={"name_vi", "name_en", "group_vi", "max_points", "provenance"})
            for position, pillar in enumerate(framework.pillars, start=1)
        ],
        "composite": [
            {"composite_code": code, "position": position}
            | composite.model_dump(include={"name_vi", "name_en", "provenance"})
            for position, (code, composite) in composites
        ],
        "composite_weight": [
            {"composite_code": code, "pillar_code": pillar, "weight": weight}
            for _, (code, composite) in composites
            for pillar, weight in composite.weights.items()
        ],
        "indicator": [
            {"indicator_code": indicator.code, "position": position}
            | indicator.model_dump(exclude={"code", "steps", "line"})
            for position, indicator in enumerate(framework.indicators, start=1)
        ],
        "step": [
            {"indicator_code": indicator.code, "threshold": step.threshold, "share": step.share}
            for indicator in framework.indicators
            for step in indicator.steps
        ],
    }
