"""A published year in raw records, made up so that a faithful pipeline must arrive at what was published."""
