"""What watches a night from outside: an endpoint that hangs, and one that takes metrics over OTLP."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from werkzeug import Request, Response


@contextmanager
def hanging() -> Iterator[str]:
    """The address of a server that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for each in held:
            each.close()


class Collector:
    """A receiver of OTLP over HTTP: give :meth:`take` to a server, then ask what arrived."""

    def __init__(self) -> None:
        self.requests: list[ExportMetricsServiceRequest] = []

    def take(self, request: Request) -> Response:
        body = request.get_data()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.requests.append(ExportMetricsServiceRequest.FromString(body))
        return self.answer()

    @staticmethod
    def answer() -> Response:
        return Response(b"", content_type="application/x-protobuf")

    @property
    def metrics(self) -> Iterator[Any]:
        for request in self.requests:
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    yield from scope.metrics

    @property
    def units(self) -> dict[str, str]:
        return {metric.name: metric.unit for metric in self.metrics}

    @property
    def service(self) -> set[str]:
        return {
            each.value.string_value
            for request in self.requests
            for resource in request.resource_metrics
            for each in resource.resource.attributes
            if each.key == "service.name"
        }

    def newest(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Attributes → the value that came last."""
        return {
            tuple(sorted((each.key, each.value.string_value) for each in point.attributes)): (
                point.as_double if point.HasField("as_double") else point.as_int
            )
            for metric in self.metrics
            if metric.name == name
            for point in metric.gauge.data_points
        }
