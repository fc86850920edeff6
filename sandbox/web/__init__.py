"""The HTTP face of the sandbox: tokens, limits, lists, monitors and the clock's control."""
