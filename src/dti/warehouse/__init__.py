"""The warehouse: PostgreSQL with the schemas ref, ops, facts, method, score and marts."""
