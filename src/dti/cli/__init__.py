"""The command line: ``uv run dti --help``."""

from dti.cli.app import app

__all__ = ["app"]
