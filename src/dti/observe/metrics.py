"""The night in figures, over OpenTelemetry: off unless its own variables name an endpoint.

Steps are short-lived processes. A counter that begins at nothing in each of them would tell a backend nothing, so every
instrument is a gauge: the newest value, of the newest batch, step or run, under the same name each night.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, text

from dti.settings import Settings
from dti.steps import Step

PATIENCE_SECONDS = 2.0
"""For one export, once a step; a longer one is asked for with OTEL_EXPORTER_OTLP_TIMEOUT."""
SERVICE = "dti-warehouse"

_log = logging.getLogger(__name__)
_GAUGES = {
    "dti.step.duration": ("s", "Seconds that the step took, the newest time; outcome: ok or failed."),
    "dti.source.rows": ("{row}", "Rows of the source's newest batch; state: landed, quarantined or loaded."),
    "dti.source.requests": ("{request}", "Requests made by the source's newest pull."),
    "dti.source.retries": ("{retry}", "Requests that had to be asked again in the source's newest pull."),
    "dti.source.freshness": ("h", "Hours since the end of the source's newest good interval."),
    "dti.index.coverage": ("1", "Share of the pillar's points that is known, in the newest run; 0 to 1."),
    "dti.attention.causes": ("{cause}", "Causes that need a person, by severity."),
}
_ROWS = """
    select feed, source_id, rows_landed, rows_loaded, rows_quarantined, requests_count, retries_count
    from ops.batch where batch_id = any(:batches)
    order by night, started_at
"""
_FRESHNESS = """
    select feed, source_id, extract(epoch from now() - last_interval_end) / 3600 as hours
    from marts.feed_freshness where enabled and last_interval_end is not null and feed = any(:feeds)
"""
_COVERAGE = """
    select unit_id, pillar_code, framework_id, coverage from marts.pillar_index where run_id = :run_id
"""


def is_on() -> bool:
    """Whether OpenTelemetry's own variables name an endpoint, and do not switch it off."""
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return bool(endpoint) and os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true"


class Metrics:
    """Measures one step, and exports once the outermost step ends."""

    def started(self, step: Step, given: Mapping[str, Any], settings: Settings) -> None:
        """Nothing to measure yet."""

    def known(self, step: Step, settings: Settings) -> None:
        """Nothing to measure yet."""

    def ended(
        self, step: Step, given: Mapping[str, Any], result: Any, fault: BaseException | None, settings: Settings
    ) -> None:
        """Set the gauges that this step knows."""
        meters = _meters(os.getpid())
        named: dict[str, str] = {name: step.fields[name] for name in ("feed", "source") if name in step.fields}
        outcome = "ok" if fault is None else "failed"
        meters.set("dti.step.duration", step.seconds, {"step": step.name, "outcome": outcome, **named})
        try:
            _measure(meters, step, given, result, fault, settings)
        finally:
            if step.within is None:
                meters.export()


def _measure(
    meters: _Meters, step: Step, given: Mapping[str, Any], result: Any, fault: BaseException | None, settings: Settings
) -> None:
    if step.name == "extract" and step.fields.get("batch_id"):
        _pulled(meters, step, settings)
    if fault is not None:
        return
    if step.name == "facts":
        batches = [each.manifest.batch_id for each in given["receipts"]]
        with _reading(settings) as connection:
            for row in connection.execute(text(_ROWS), {"batches": batches}).mappings():
                named = {"feed": row["feed"], "source": row["source_id"]}
                for state in ("loaded", "quarantined"):
                    meters.set("dti.source.rows", row[f"rows_{state}"], named | {"state": state})
            _fresh(meters, connection, [given["feed"]])
    elif step.name == "compute":
        with _reading(settings) as connection:
            for row in connection.execute(text(_COVERAGE), {"run_id": result["run_id"]}).mappings():
                where = {"unit": row["unit_id"], "pillar": row["pillar_code"], "framework": row["framework_id"]}
                meters.set("dti.index.coverage", float(row["coverage"]), where)
            feeds = [feed for (feed,) in connection.execute(text("select distinct feed from ops.source"))]
            _fresh(meters, connection, feeds)
    elif step.name == "tell":
        from dti.attention.find import find_causes
        from dti.attention.model import SEVERITIES

        causes = find_causes(settings)
        for severity in SEVERITIES:
            number = sum(1 for each in causes if each.severity == severity)
            meters.set("dti.attention.causes", number, {"severity": severity})


def _pulled(meters: _Meters, step: Step, settings: Settings) -> None:
    """What the manifest says, which a pull that failed has too."""
    from dti.landing import ledger

    named = {name: step.fields[name] for name in ("feed", "source")}
    manifest = ledger.manifest_of(named["feed"], named["source"], step.fields["batch_id"], settings)
    meters.set("dti.source.rows", manifest.rows, named | {"state": "landed"})
    meters.set("dti.source.requests", manifest.requests_count, named)
    meters.set("dti.source.retries", manifest.retries_count, named)


def _fresh(meters: _Meters, connection: Connection, feeds: list[str]) -> None:
    for row in connection.execute(text(_FRESHNESS), {"feeds": feeds}).mappings():
        named = {"feed": row["feed"], "source": row["source_id"]}
        meters.set("dti.source.freshness", float(row["hours"]), named)


def _reading(settings: Settings) -> Any:
    from dti.warehouse.connect import engine

    return engine(settings, "loader").connect()


class _Meters:
    """Gauges of one process with a provider of their own: the global one is Airflow's."""

    def __init__(self) -> None:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource

        for name in ("opentelemetry.exporter", "opentelemetry.sdk.metrics", "urllib3.connectionpool"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._exporter = _exporter()
        reader = PeriodicExportingMetricReader(self._exporter, export_interval_millis=math.inf)
        resource = Resource.create({SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", SERVICE)})
        self._provider = MeterProvider([reader], resource, shutdown_on_exit=False)
        meter = self._provider.get_meter("dti")
        self._gauges = {name: meter.create_gauge(name, unit, about) for name, (unit, about) in _GAUGES.items()}
        self._given_up = False

    def set(self, name: str, value: float, attributes: dict[str, str]) -> None:
        """The newest value of a gauge."""
        self._gauges[name].set(value, attributes)

    def export(self) -> None:
        """Send what there is. After a first failure nothing more is tried in this process."""
        if self._given_up:
            return
        self._provider.force_flush(int(PATIENCE_SECONDS * 1000))
        if self._exporter.failed:
            self._given_up = True
            _log.warning("the OpenTelemetry endpoint does not take metrics: no more are sent by this process")


def _exporter() -> Any:
    """OTLP over HTTP, or over gRPC where OTEL_EXPORTER_OTLP_PROTOCOL says so, that remembers a failure."""
    from opentelemetry.sdk.metrics.export import MetricExportResult

    protocol = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    wire = "grpc" if protocol == "grpc" else "http"
    base: Any = import_module(f"opentelemetry.exporter.otlp.proto.{wire}.metric_exporter").OTLPMetricExporter

    class Exporter(base):  # type: ignore[misc]  # one of two classes
        failed = False

        def export(self, *args: Any, **kwargs: Any) -> Any:
            result = super().export(*args, **kwargs)
            self.failed = self.failed or result is not MetricExportResult.SUCCESS
            return result

    given = any(os.environ.get(f"OTEL_EXPORTER_OTLP_{name}TIMEOUT") for name in ("METRICS_", ""))
    return Exporter() if given else Exporter(timeout=PATIENCE_SECONDS)


@lru_cache(maxsize=4)
def _meters(_process: int) -> _Meters:
    """One a process: Airflow forks."""
    return _Meters()
