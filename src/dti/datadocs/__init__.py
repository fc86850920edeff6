"""Data Docs: one page a night and feed that says how its batches fared under every rule, without a single record."""

from dti.datadocs.pages import beyond_kept, build, nights, page

__all__ = ["beyond_kept", "build", "nights", "page"]
