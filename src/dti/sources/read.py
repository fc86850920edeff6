"""One pull of one source, whatever its connector: conformed rows without personal data."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from dti.errors import DtiError
from dti.sources.credentials import Credentials
from dti.sources.drift import History, judge
from dti.sources.mapping import Mapper
from dti.sources.model import PrometheusConnector, RestConnector, Source
from dti.sources.newest import Reading, newest
from dti.sources.pull import PullStats, Record
from dti.sources.skew import FutureTimes
from dti.sources.window import Window


def read(
    source: Source,
    window: Window,
    credentials: Credentials | None,
    pseudonym_key: bytes,
    stats: PullStats,
    drop_dir: Path | None = None,
    history: History | None = None,
) -> Iterator[dict[str, str | None]]:
    """Stream the rows that ``source`` has for ``window``, keyed by ``contract.landed_columns``, all text or None.

    ``drop_dir`` is the folder in which relative paths of tables are looked for; ``history`` is what earlier pulls held.
    ``stats`` is complete when the last row has been read. No row comes before the whole list was read, stood still, and
    had the fields it should have. Raises SourceError naming source, URL or file, and remedy; ConfigError when the
    source is not fit to be asked.
    """
    mapper = Mapper(source, window.night, pseudonym_key, stats)
    columns = source.contract.landed_columns
    future = FutureTimes(source, window)

    def readings() -> Iterator[Reading]:
        for record in records(source, window, credentials, stats, drop_dir):
            row = mapper.row(record)
            future.note(row)
            yield row, record.reading
        future.tell(stats)
        mapper.tell_kinds()
        judge(source, mapper.shape, stats, history or History())

    stats.keep_secret(credentials)
    try:
        for row in newest(readings(), source.contract, stats):
            yield dict(zip(columns, row, strict=True))
    except DtiError as fault:
        raise stats.told(fault) from None


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
