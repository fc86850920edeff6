"""A warehouse with a few sandbox agencies, whose nights a test writes receipt by receipt."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from dti import flow
from dti.attention import Cause, find_causes
from dti.attention.tell import tell
from dti.clock import day_end
from dti.errors import ConfigError
from dti.settings import Settings
from dti.sources.credentials import Credentials
from dti.sources.spec import load_sources
from dti.warehouse import connect, state
from dti.warehouse.load import Receipt, load_feed
from tests.builders.receipts import failed, manifest, receipt

NIGHT = date(2026, 3, 1)
AGENCIES = ("dvc-ca-mau", "dvc-dak-lak", "tthc-dak-lak")


@dataclass
class World:
    """What a test does to the warehouse, and what people are told of it."""

    settings: Settings
    folder: Path
    secrets: dict[str, str] = field(default_factory=dict)

    def passed(self, source_id: str, night: date, feed: str = "online_services", **changes: Any) -> None:
        """A batch that was loaded."""
        self.load(receipt(self.folder, manifest(source_id, night, feed=feed, **changes)))

    def stopped(self, source_id: str, night: date, lines: list[dict[str, Any]] | None = None) -> None:
        """A batch that the gate stopped."""
        self.load(receipt(self.folder, manifest(source_id, night), status="stopped", lines=lines))

    def failed(self, source_id: str, night: date, **fault: str) -> None:
        """A fetch that failed, of no fault given as one that finds nobody home."""
        of = failed(source_id, night)
        told = of.manifest.fault.model_copy(update=fault)
        self.load(Receipt(manifest=of.manifest.model_copy(update={"fault": told}), verdict=None))

    def load(self, *receipts: Receipt) -> None:
        """Record receipts as the load does."""
        load_feed(receipts[0].manifest.feed, None, [], list(receipts), None, settings=self.settings)

    def causes(self, now: datetime | None = None) -> dict[str, Cause]:
        """What needs a person, by key."""
        return {cause.key: cause for cause in find_causes(self.settings, now=now)}

    def do(self, statement: str, **known: object) -> None:
        """Run one statement as the loader."""
        with connect.engine(self.settings, "loader").begin() as connection:
            connection.execute(text(statement), known)

    def ask(self, query: str, **known: object) -> list[dict[str, Any]]:
        """The rows of a query."""
        with connect.engine(self.settings, "loader").connect() as connection:
            return [dict(row) for row in connection.execute(text(query), known).mappings()]

    def notify(self, *channels: dict[str, Any], **routes: Any) -> None:
        """Write who is told what."""
        self.settings.notify_file.write_text(yaml.safe_dump({"channels": list(channels), **routes}), "utf-8")

    def tell(self, night: date = NIGHT, hours: float = 2.5) -> dict[str, Any]:
        """Tell people, so many hours after the night ended."""
        return tell(self.settings, self.lookup, now=day_end(night) + timedelta(hours=hours))

    def lookup(self, connection_id: str) -> Credentials:
        """The secrets of this test."""
        if connection_id not in self.secrets:
            raise ConfigError("connection is not defined", where=connection_id, remedy="add it")
        return Credentials(login="dti", password=self.secrets[connection_id])


@pytest.fixture
def world(warehouse: Settings, tmp_path: Path) -> World:
    """Three agencies of the sandbox, and nobody to be told."""
    sources = tmp_path / "sources"
    sources.mkdir()
    for source_id in AGENCIES:
        shutil.copy(warehouse.include_dir / "sources" / "sandbox" / f"{source_id}.yml", sources)
    settings = warehouse.model_copy(update={"sources": sources, "notify": tmp_path / "notify.yml"})
    state.sync_sources(load_sources(sources_dir=sources), settings=settings)
    return World(settings, tmp_path)


@pytest.fixture
def compute(world: World) -> Callable[[date], str]:
    """Compute the index of a night."""
    return lambda night: str(flow.compute(night, settings=world.settings)["run_id"])
