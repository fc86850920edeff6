"""Requests and publications as the analysts' role sees them."""

from __future__ import annotations

from typing import Any

from dti.settings import Settings
from dti.warehouse.query import run_select

_REQUESTS = """
    select request_id, year, framework_id, geography, status, status_reason, reason, requester, requested_at,
        publication_id
    from annual_request
    order by requested_at desc
"""
_PUBLICATIONS = """
    select publication_id, year, version, framework_id, geography, is_newest, is_outdated, outdated_since, approver,
        published_at, reason
    from published_version
    order by published_at desc
"""


def requests(settings: Settings) -> list[dict[str, Any]]:
    """Every request, newest first. Raises WarehouseError when the warehouse is not there."""
    return _rows(_REQUESTS, settings)


def publications(settings: Settings) -> list[dict[str, Any]]:
    """Every publication, newest first. Raises WarehouseError when the warehouse is not there."""
    return _rows(_PUBLICATIONS, settings)


def _rows(select: str, settings: Settings) -> list[dict[str, Any]]:
    columns, rows = run_select(select, settings)
    return [dict(zip(columns, row, strict=True)) for row in rows]
