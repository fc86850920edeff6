"""From the lake to daily facts: one SQL file a feed, run in DuckDB over the lake's Parquet files."""

from dti.rollup.engine import rollup

__all__ = ["rollup"]
