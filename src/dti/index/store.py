"""Frameworks in the warehouse, known by their content."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, TableClause, column, table
from sqlalchemy.dialects.postgresql import insert

from dti.index.model import Framework

Rows = list[dict[str, Any]]


def store_framework(connection: Connection, framework: Framework) -> None:
    """Write ``framework`` into schema ``method`` unless this very content is there already.

    What is stored is never changed: an edited framework has another hash and is stored beside the old one. Runs in
    the caller's transaction, as the loader; two callers at once store it once.
    """
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
