"""Sources: one system of one agency each. What leaves this room is canonical text, and names no person."""
