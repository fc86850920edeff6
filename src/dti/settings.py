"""Where things are and which engine runs: read once from ``DTI_*`` environment variables."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of one process; every field is an environment variable with the prefix ``DTI_``."""

    model_config = SettingsConfigDict(env_prefix="DTI_", frozen=True)

    project: Path = Field(default=Path(__file__).resolve().parents[2], description="The checkout.")
    home: Path = Field(default=Path(".dti"), description="Landing, lake, embedded PostgreSQL.")
    warehouse_url: SecretStr | None = Field(default=None, description="Any PostgreSQL; unset: embedded.")
    analyst_url: SecretStr | None = Field(default=None, description="The analysts' login of that server.")
    rollup_engine: Literal["duckdb", "spark"] = "duckdb"
    rollup_memory_limit: str = Field(default="2GB", description="Of one rollup; beyond it DuckDB spills to disk.")
    rollup_threads: int | None = Field(default=None, ge=1, description="Of one rollup; unset: every core.")
    pseudonym_key: SecretStr | None = Field(default=None, description="Key of the HMAC over personal data.")
    framework: str = Field(default="922-2022", description="Framework of the nightly run.")

    sources: Path | None = Field(default=None, description="Folder of source files; unset: include/sources.")

    @property
    def sources_dir(self) -> Path:
        """Where the source files are."""
        return self.sources or self.include_dir / "sources"

    @property
    def home_dir(self) -> Path:
        """``home`` as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def landing_dir(self) -> Path:
        """The ledger: one folder a batch."""
        return self.home_dir / "landing"

    @property
    def staging_dir(self) -> Path:
        """What the gate passed and the lake has not merged yet; can be rebuilt from landing."""
        return self.home_dir / "staging"

    @property
    def lake_dir(self) -> Path:
        """One Delta table a feed."""
        return self.home_dir / "lake"

    @property
    def include_dir(self) -> Path:
        """Feeds, sources, frameworks, reference data and SQL."""
        return self.project / "include"

    @property
    def expectations_dir(self) -> Path:
        """One Great Expectations suite a feed."""
        return self.project / "expectations"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process; tests call ``get_settings.cache_clear()`` after changing the environment."""
    return Settings()
