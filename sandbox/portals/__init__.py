"""What each agency's system gives out: the world's truth in the agency's own field names, with its own faults."""
