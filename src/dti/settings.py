"""Where things are and which engine runs: read once from ``DTI_*`` environment variables."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dti.errors import ConfigError

STORE_SCHEME = "s3://"


class Settings(BaseSettings):
    """Settings of one process; every field is an environment variable with the prefix ``DTI_``."""

    model_config = SettingsConfigDict(env_prefix="DTI_", frozen=True)

    project: Path = Field(default=Path(__file__).resolve().parents[2], description="The checkout.")
    home: Path | str = Field(default=Path(".dti"), description="Landing and lake: a folder, or s3://bucket/prefix.")
    local: Path | None = Field(
        default=None, description="What stays on this machine; unset: home, or ./.dti when home is an object store."
    )
    store_endpoint: str | None = Field(default=None, description="Of an object store that is not AWS's.")
    store_region: str | None = Field(default=None, description="Of the object store.")
    store_allow_http: bool = Field(default=False, description="Without TLS also to other machines.")
    store_timeout_seconds: float = Field(default=60, gt=0, description="Of one request to the object store.")
    store_lease_seconds: float = Field(default=30, gt=0, description="After which a silent writer is taken for dead.")
    store_scratch_gb: float = Field(default=100, gt=0, description="Fetched at once, at most, by one step.")
    warehouse_url: SecretStr | None = Field(default=None, description="Any PostgreSQL; unset: embedded.")
    analyst_url: SecretStr | None = Field(default=None, description="The analysts' login of that server.")
    superuser_url: SecretStr | None = Field(
        default=None, description="A superuser of that server: for the process that prepares it, and no other."
    )
    rollup_engine: Literal["duckdb", "spark"] = "duckdb"
    rollup_memory_limit: str = Field(default="2GB", description="Of one rollup; beyond it the engine spills to disk.")
    rollup_threads: int | None = Field(default=None, ge=1, description="Of one rollup; unset: every core.")
    spark_master: str = Field(default="local[*]", description="Spark on this machine, or spark://host:7077.")
    spark_secret: SecretStr | None = Field(default=None, description="What the cluster's parts prove themselves with.")
    pseudonym_key: SecretStr | None = Field(default=None, description="Key of the HMAC over personal data.")
    framework: str = Field(default="922-2022", description="Framework of the nightly run.")

    quality_docs_nights: int = Field(default=90, ge=1, description="Nights whose Data Docs are kept.")
    landing_archive: Path | None = Field(default=None, description="Where old batches move; unset: they stay.")
    landing_archive_days: int = Field(default=400, ge=31, description="Nights whose batches stay in landing.")
    lake_file_days: int = Field(default=30, ge=7, description="Days that files of replaced lake versions stay.")
    night_run_days: int = Field(default=800, ge=366, description="Days of which every nightly run is kept.")
    airflow_run_days: int = Field(default=180, ge=31, description="Days that Airflow remembers its runs.")
    log_days: int = Field(default=90, ge=7, description="Days that logs of tasks are kept.")
    sources: Path | None = Field(default=None, description="Folder of source files; unset: include/sources.")

    notify: Path | None = Field(default=None, description="Who is told what; unset: include/notify.yml.")

    @property
    def notify_file(self) -> Path:
        """The file that says who is told what; it need not be there."""
        return self.notify or self.include_dir / "notify.yml"

    @property
    def sources_dir(self) -> Path:
        """Where the source files are."""
        return self.sources or self.include_dir / "sources"

    @field_validator("home", mode="before")
    @classmethod
    def _folder_or_store(cls, given: object) -> object:
        if not isinstance(given, str) or given.startswith(STORE_SCHEME):
            return given
        if "://" in given:
            raise ValueError(
                f"{given.partition('://')[0]}:// is no store that is known: a folder, or s3://bucket/prefix"
            )
        return Path(given)

    @property
    def store_url(self) -> str | None:
        """``s3://bucket/prefix`` without a slash at its end; None when ``home`` is a folder."""
        return self.home.rstrip("/") if isinstance(self.home, str) else None

    @property
    def home_dir(self) -> Path:
        """``home`` as an absolute path. Raises ConfigError when it is an object store: use ``dti.store``."""
        if isinstance(self.home, str):
            raise ConfigError(
                "this needs DTI_HOME to be a folder", where=self.home, remedy="run it with DTI_HOME on a local disk"
            )
        return self.home.expanduser().resolve()

    @property
    def local_dir(self) -> Path:
        """Of this machine alone: PostgreSQL, secrets, logs, drop folder, scratch; ``home``, if that is a folder."""
        if self.local is not None:
            return self.local.expanduser().resolve()
        return Path(".dti").resolve() if self.store_url else self.home_dir

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


def places_of(settings: Settings) -> dict[str, str]:
    """DTI_HOME, and DTI_LOCAL where they are two, as variables for a process that may start in another folder."""
    found = {"DTI_HOME": settings.store_url or str(settings.home_dir)}
    if settings.store_url or settings.local:
        found["DTI_LOCAL"] = str(settings.local_dir)
    return found


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process; tests call ``get_settings.cache_clear()`` after changing the environment."""
    return Settings()
