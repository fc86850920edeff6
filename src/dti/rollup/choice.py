"""The one place where the engine of a rollup is chosen: ``DTI_ROLLUP_ENGINE``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyarrow.lib import RecordBatchReader

if TYPE_CHECKING:
    from dti.settings import Settings


def rollup(feed: str, files: list[str], *, settings: Settings) -> RecordBatchReader:
    """Daily facts of ``feed`` from the lake's Parquet ``files``; no files give an empty reader with the same schema.

    The reader streams in bounded memory, and what it holds is let go when the last batch is read or the reader is
    dropped. Emits exactly the columns of ``facts.<feed>``, in order and of their types, whichever engine
    ``settings.rollup_engine`` names; the order of rows is no engine's promise. Raises ConfigError when the feed has no
    rollup file or the engine is not there, DtiError when it cannot read the lake or run the file.
    """
    if settings.rollup_engine == "spark":
        from dti.rollup.spark.engine import facts_of
    else:
        from dti.rollup.duckdb_engine import facts_of
    return facts_of(feed, files, settings=settings)
