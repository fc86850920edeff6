"""One pull of one source, whatever its connector: conformed rows without personal data."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from dti.sources.credentials import Credentials
from dti.sources.mapping import Mapper
from dti.sources.model import PrometheusConnector, RestConnector, Source
from dti.sources.newest import newest
from dti.sources.pull import PullStats, Record
from dti.sources.window import Window


def read(
    source: Source,
    window: Window,
    credentials: Credentials | None,
    pseudonym_key: bytes,
    stats: PullStats,
    drop_dir: Path | None = None,
) -> Iterator[dict[str, str | None]]:
    """Stream the rows that ``source`` has for ``window``, keyed by ``contract.landed_columns``, all text or None.

    ``drop_dir`` is the folder in which relative paths of tables are looked for. ``stats`` is complete when the last
    row has been read. No row comes before the whole list was read and stood still. Raises SourceError naming source,
    URL or file, and remedy; ConfigError when the source is not fit to be asked.
    """
    mapper = Mapper(source, window.night, pseudonym_key, stats)
    columns = source.contract.landed_columns
    readings = (
        (mapper.row(record), record.reading) for record in records(source, window, credentials, stats, drop_dir)
    )
    for row in newest(readings, source.contract, stats):
        yield dict(zip(columns, row, strict=True))


def records(
    source: Source, window: Window, credentials: Credentials | None, stats: PullStats, drop_dir: Path | None
) -> Generator[Record, None, None]:
    """The raw records as the connector finds them, personal data and all: never to be written or shown."""
    if isinstance(source.connector, RestConnector):
        from dti.sources.rest import rest_records

        return rest_records(source, window, credentials, stats)
    if isinstance(source.connector, PrometheusConnector):
        from dti.sources.prometheus import prometheus_records

        return prometheus_records(source, window, credentials, stats)
    from dti.sources.tabular import tabular_records

    return tabular_records(source, stats, drop_dir)
