"""Registers the project's pages with Airflow, and does nothing else: see README.md."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class DtiWeb(AirflowPlugin):
    """The pages under /dti. Only the api-server asks for the application, so only there it is imported."""

    name = "dti_web"
    external_views: list[dict[str, str]] = [{"name": "Results", "href": "/dti/", "destination": "nav"}]  # noqa: RUF012

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The application and where it is mounted."""
        from dti_airflow.web import PREFIX
        from dti_airflow.web.app import create_app

        return [{"app": create_app(), "url_prefix": PREFIX, "name": "DTI"}]
