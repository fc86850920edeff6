"""When metrics are on, and that their names and units are those of the documentation."""

from __future__ import annotations

import re

import pytest

from dti.observe import metrics
from dti.settings import Settings
from dti_airflow.environment import airflow_environment
from tests.conftest import PROJECT


def test_every_metric_is_documented_with_its_unit() -> None:
    text = (PROJECT / "docs" / "observability.md").read_text("utf-8")
    documented = dict(re.findall(r"^\| `(dti\.[a-z.]+)` \| `([^`]+)` \|", text, re.MULTILINE))
    assert documented == {name: unit for name, (unit, _) in metrics._GAUGES.items()}


@pytest.mark.parametrize(
    ("variables", "on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_metrics_are_off_unless_an_endpoint_is_named_and_airflow_follows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], on: bool
) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("dti_airflow.environment.metadata_url", lambda _: "postgresql://somewhere")
    assert metrics.is_on() is on
    assert airflow_environment(settings)["AIRFLOW__METRICS__OTEL_ON"] == str(on)
