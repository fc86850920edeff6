"""The rollup on Spark: the same files, translated, for a lake that has outgrown one machine."""
