"""Landing: every extraction becomes one immutable batch, a folder of Parquet parts and a manifest."""
