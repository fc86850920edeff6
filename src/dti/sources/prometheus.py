"""The Prometheus connector: PromQL over the window, on a fixed grid of steps, as one record a sample."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import Any

from dti import clock
from dti.errors import SourceError, SourceMalformed, SourceRefused, SourceUnreachable
from dti.sources.credentials import Credentials
from dti.sources.http import HttpClient
from dti.sources.model import PrometheusConnector, PrometheusQuery, Source
from dti.sources.pull import PullStats, Record
from dti.sources.shape import OWN
from dti.sources.window import Window

_PATH = "/api/v1/query_range"


def prometheus_records(
    source: Source, window: Window, credentials: Credentials | None, stats: PullStats
) -> Generator[Record, None, None]:
    """Stream the samples of every query at the grid's times within ``[since, until)``, but none of the future.

    A record holds the series' labels by name and, beside them, measure, value, sampled_at (the end of the step it
    stands for) and step_seconds. Warnings and infos of the server, and samples without a number, are noted in
    ``stats``. Raises SourceError, with Prometheus' own errorType and message where it gave one.
    """
    connector = source.connector
    if not isinstance(connector, PrometheusConnector):
        raise TypeError(f"{source.source} is not a Prometheus source")
    mapped = {*source.fields.values(), source.unit.field}
    spans = list(_spans(window, connector.step_seconds, connector.max_points))
    with HttpClient(connector, credentials, stats, source_id=source.source) as client:
        for query in connector.queries:
            found = False
            for start, end in spans:
                for series in _ask(client, connector, query, start, end, stats):
                    try:
                        samples = list(_samples(series, query, connector.step_seconds, stats, mapped))
                    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
                        # OSError: a time so large that the machine's clock functions refuse it
                        raise _no_range(client.where(connector.address)) from None
                    found = found or bool(samples)
                    yield from samples
            if spans and not found:
                stats.warn(f"{query.measure}: no sample at all; the series may have been renamed")


def _spans(window: Window, step: int, max_points: int) -> Iterator[tuple[int, int]]:
    """Cut ``[since, until)`` into ranges of at most ``max_points`` grid times; both ends are in their range.

    The grid is the multiples of ``step`` since 1970, the same for every pull, so that a re-read sample has its key.
    Prometheus would answer for times to come with its last sample, so the grid ends at the present.
    """
    until = min(window.until, clock.now())
    first = math.ceil(window.since.timestamp() / step) * step
    last = (math.ceil(until.timestamp() / step) - 1) * step
    for start in range(first, last + 1, step * max_points):
        yield start, min(start + step * (max_points - 1), last)


def _ask(
    client: HttpClient, connector: PrometheusConnector, query: PrometheusQuery, start: int, end: int, stats: PullStats
) -> list[dict[str, Any]]:
    url = connector.address.rstrip("/") + _PATH
    params = {"query": query.promql, "start": start, "end": end, "step": connector.step_seconds}
    params["timeout"] = f"{connector.timeout_seconds:g}s"
    response = client.answer(url, params)
    where = f"{client.where(url)}: {query.measure}"
    # Prometheus tells its errors in JSON with 400, 422 and 503; a proxy before it speaks for itself.
    document = client.document(response) if response.ok or _is_json(response.headers) else {}
    if isinstance(document, dict) and document.get("status") == "error":
        raise _error(document, response.status_code, where)
    client.raise_for_status(response)
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or data.get("resultType") != "matrix" or not isinstance(data.get("result"), list):
        raise _no_range(where)
    for kind in ("warnings", "infos"):
        told = document.get(kind)
        for text in told if isinstance(told, list) else []:
            stats.warn(f"{query.measure}: {kind.removesuffix('s')} of Prometheus: {str(text)[:300]}")
    result: list[dict[str, Any]] = data["result"]
    return result


def _no_range(where: str) -> SourceMalformed:
    remedy = "check that the address is that of a Prometheus API"
    return SourceMalformed("the answer is no range of samples", where=where, remedy=remedy)


def _is_json(headers: Any) -> bool:
    return "json" in str(headers.get("Content-Type", "")).lower()


def _error(document: dict[str, Any], status: int, where: str) -> SourceError:
    """Prometheus' own error: bad_data and execution are the query's fault, the rest may pass."""
    error_type, message = str(document.get("errorType", "unknown")), str(document.get("error", ""))[:300]
    what = f"Prometheus says {error_type}: {message}"
    if status in {401, 403}:
        return SourceRefused(what, where=where, remedy="check login and secret of the connection")
    if error_type in {"bad_data", "execution"}:
        return SourceMalformed(what, where=where, remedy="mend the promql of this query, or lower max_points")
    return SourceUnreachable(what, where=where, remedy="ask again later; if it lasts, make the query cheaper")


def _samples(
    series: dict[str, Any], query: PrometheusQuery, step: int, stats: PullStats, mapped: set[str | None]
) -> Iterator[Record]:
    labels = {name: text for name, text in series["metric"].items() if name != "__name__"}
    if "histograms" in series:
        stats.warn(f"{query.measure}: histogram samples cannot be read; use histogram_quantile or similar")
    missing = 0
    for time, text in series.get("values", []):
        value = float(text)
        if not math.isfinite(value):
            missing += 1
            continue
        sampled_at = datetime.fromtimestamp(time, UTC)
        own: dict[str, Any] = {"measure": query.measure, "value": value, "step_seconds": step, "sampled_at": sampled_at}
        place = f"{query.measure} at {sampled_at.astimezone(clock.ZONE).isoformat()}"
        yield Record(labels | {OWN + name: each for name, each in own.items()}, place)
    if missing:
        # Labels that nobody asked for may say anything; only those that are read are shown.
        named = ", ".join(f"{name}={text}" for name, text in sorted(labels.items()) if name in mapped)
        stats.warn(f"{query.measure}: {missing} sample(s) without a number (NaN or Inf) left out, of {{{named}}}")
