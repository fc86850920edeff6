"""Annual recomputation: a year asked for, rebuilt as it was known, compared, approved, and published for good."""
