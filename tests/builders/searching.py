"""Everything an installation has written down, as text: files unpacked, tables row by row."""

from __future__ import annotations

import gzip
import io
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
import pyarrow.parquet as pq

TABLES = """
    select format('%I.%I', n.nspname, c.relname)
    from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname !~ '^pg_' and has_table_privilege(c.oid, 'select')
"""


def files(folder: Path, *, but: Iterable[Path] = ()) -> Iterator[tuple[str, str]]:
    """Every file below ``folder`` except those in or under ``but``: its place, and its name and content as text."""
    left_out = list(but)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(path.is_relative_to(each) for each in left_out):
            yield str(path), f"{path.relative_to(folder)}\n{unpacked(path.name, path.read_bytes())}"


def unpacked(name: str, content: bytes) -> str:
    """The text of a file: values and metadata of Parquet, members of archives, all else as it stands."""
    if content[:4] == b"PAR1":
        file = pq.ParquetFile(io.BytesIO(content))
        return f"{file.metadata.metadata}\n{file.read().to_pylist()}"
    if content[:2] == b"\x1f\x8b":
        return unpacked(name, gzip.decompress(content))
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "\n".join(unpacked(each, archive.read(each)) for each in archive.namelist())
    return content.decode("utf-8", errors="replace")


def rows(connection: psycopg.Connection) -> Iterator[tuple[str, str]]:
    """Every table that a login may read: its name, and its rows as text."""
    for (table,) in connection.execute(TABLES.encode()).fetchall():
        held = connection.execute(f"select t::text from {table} as t".encode()).fetchall()
        yield table, "\n".join(row for (row,) in held)


def found(words: Iterable[str], places: Iterable[tuple[str, str]]) -> list[str]:
    """Where any of ``words`` stands, whatever its case and Unicode form, also written out as JSON and Python do."""
    sought = {form for word in words for form in _forms(word)}
    hits = []
    for place, text in places:
        plain = unicodedata.normalize("NFC", text).casefold()
        at = {word: plain.find(word) for word in sought}
        hits += [f"{place}: {plain[max(n - 80, 0) : n + 80]!r}" for n in at.values() if n >= 0]
    return hits


def _forms(word: str) -> set[str]:
    plain = unicodedata.normalize("NFC", word).casefold()
    return {plain, plain.encode("unicode_escape").decode(), repr(plain.encode())[2:-1]}
