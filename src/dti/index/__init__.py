"""The index run: a framework (method as data) applied to the facts, as one run in one transaction."""
