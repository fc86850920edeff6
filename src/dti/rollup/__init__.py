"""From the lake to daily facts: one SQL file a feed, run in DuckDB or on Spark over the lake's Parquet files."""

from dti.rollup.choice import rollup

__all__ = ["rollup"]
