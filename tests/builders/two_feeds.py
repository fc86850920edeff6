"""An installation with two small sources, one a feed: nights that take a second or two."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dti.settings import Settings
from dti.warehouse import setup
from tests.builders.agencies import Agencies
from tests.builders.contents import Contents, contents
from tests.conftest import PROJECT

FEEDS = ("online_services", "service_catalogue")
SOURCES = ("dvc-dak-lak", "tthc-dak-lak")
KEY = "the-same-in-every-home-0123456789abcdef"
"""Of pseudonyms: without it every home makes up its own."""


def a_project(root: Path) -> Path:
    """The checkout, but for its sources."""
    for name in ("expectations", "migrations"):
        (root / name).symlink_to(PROJECT / name)
    (root / "include" / "sources").mkdir(parents=True)
    for part in (PROJECT / "include").iterdir():
        if part.name != "sources":
            (root / "include" / part.name).symlink_to(part)
    for source in SOURCES:
        shutil.copy(PROJECT / "include" / "sources" / "sandbox" / f"{source}.yml", root / "include" / "sources")
    return root


@dataclass(frozen=True)
class Home:
    """A prepared DTI_HOME with a server of its own, and what a process needs to work in it."""

    settings: Settings
    environment: dict[str, str]

    @classmethod
    def prepare(cls, project: Path, home: Path, agencies: Agencies) -> Home:
        settings = Settings(project=project, home=home)
        setup.prepare(settings)
        return cls(
            settings,
            {
                **os.environ,
                **agencies.environment,
                "DTI_HOME": str(home),
                "DTI_PROJECT": str(project),
                "DTI_PSEUDONYM_KEY": KEY,
                "OPENBLAS_NUM_THREADS": "1",
                "NO_COLOR": "1",
            },
        )

    def contents(self, night: date) -> Contents:
        return contents(self.settings, FEEDS, night)
