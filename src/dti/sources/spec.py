"""A source: one system of one agency, described by ``include/sources/<anything>/<source>.yml``."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated, Literal

import jmespath
import yaml
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from dti.errors import ConfigError
from dti.feeds import Contract, load_contract
from dti.settings import get_settings

SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)]
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Paging(_Strict):
    """How a REST list is read.

    ``keyset``: ask again from the last seen change time (needs ``change_time`` and ascending order), the only
    style that loses nothing while records move; ``page``: numbered pages, read again until two passes agree;
    ``cursor``: the server hands out the next token.
    """

    style: Literal["keyset", "page", "cursor", "none"] = "keyset"
    page_param: str = "page"
    first_page: int = 1
    size_param: str = "size"
    size: int = Field(default=200, ge=1, le=10_000)
    cursor_param: str = "cursor"
    cursor_path: str = Field(default="next", description="JMESPath of the next token in the answer.")
    total_path: str | None = Field(default=None, description="JMESPath of the total in the answer.")
    max_pages: int = Field(default=100_000, ge=1, description="A list that is longer never ends: refused.")
    max_passes: int = Field(default=4, ge=2, description="Patience with pages that shift (style page).")


class ChangeTime(_Strict):
    """The request parameters that bound changes, and the record's field that carries the change time."""

    since_param: str
    until_param: str | None = None
    field: str = Field(description="JMESPath of the change time in a record.")
    format: str = Field(default="iso", description="iso, or a strftime format in Asia/Ho_Chi_Minh.")


class OAuth2(_Strict):
    """Client credentials: login and password of the connection are client id and secret."""

    token_address: str
    scope: str | None = None


class RestConnector(_Strict):
    """A paged JSON list over HTTP."""

    type: Literal["rest"]
    address: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, str | int] = Field(default_factory=dict)
    records_path: str = Field(default="data", description="JMESPath of the list of records in the answer.")
    paging: Paging = Paging()
    change_time: ChangeTime | None = None
    oauth2: OAuth2 | None = None
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    retries: int = Field(default=4, ge=0, le=20)
    max_wait_seconds: float = Field(default=120, gt=0, description="Longest Retry-After that is obeyed.")
    ca_file: str | None = None

    @model_validator(mode="after")
    def _keyset_needs_time(self) -> RestConnector:
        if self.paging.style == "keyset" and self.change_time is None:
            raise ValueError("paging style keyset needs change_time; a list without one takes style page or cursor")
        return self


class PrometheusQuery(_Strict):
    """One PromQL expression that yields one measure; labels become columns through the source's fields."""

    measure: str
    promql: str


class PrometheusConnector(_Strict):
    """The Prometheus HTTP API. Each query is split so that no range passes the server's point limit."""

    type: Literal["prometheus"]
    address: str
    queries: list[PrometheusQuery] = Field(min_length=1)
    step_seconds: int = Field(default=300, ge=15)
    max_points: int = Field(default=11_000, ge=10, description="Points a series that the server allows.")
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    retries: int = Field(default=4, ge=0, le=20)
    max_wait_seconds: float = Field(default=120, gt=0)
    ca_file: str | None = None


class TabularConnector(_Strict):
    """A workbook or CSV in a drop folder.

    ``header_rows`` consecutive rows make one header; the header is found by the field names, wherever it stands.
    ``title_pattern`` is matched on the rows above it; its named groups are columns of every row.
    """

    type: Literal["tabular"]
    path: str = Field(description="File or glob under the drop folder; the newest name wins.")
    sheet: str | None = Field(default=None, description="Sheet name; unset: the only visible sheet.")
    header_rows: int = Field(default=1, ge=1, le=5)
    encoding: str | None = Field(default=None, description="For CSV; unset: byte order mark, UTF-8, windows-1258.")
    delimiter: str | None = Field(default=None, description="For CSV; unset: found by looking.")
    decimal_comma: bool = Field(default=True, description="1.234,5 is one thousand two hundred thirty-four and a half.")
    title_pattern: str | None = None
    total_labels: list[str] = Field(default_factory=lambda: ["Tổng", "Tổng cộng", "Cộng", "Tổng số"])
    max_bytes: int = Field(default=200_000_000, gt=0)

    @field_validator("title_pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as fault:
                raise ValueError(f"title_pattern is no regular expression: {fault}") from fault
        return value


class UnitRule(_Strict):
    """Which unit a record belongs to: one for the whole source, or a field of each record."""

    fixed: str | None = None
    field: str | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> UnitRule:
        if (self.fixed is None) == (self.field is None):
            raise ValueError("give either fixed (one unit for the whole source) or field (a field of each record)")
        return self


class Source(_Strict):
    """One system of one agency that fills one feed."""

    source: SourceId
    feed: str
    agency: str
    owner: str
    licence: str
    synthetic: bool = Field(default=False, description="True for the sandbox; shown wherever a person sees the data.")
    enabled: bool = True
    connection: str | None = Field(default=None, description="Airflow connection id; None: no credentials needed.")
    pool: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")] = "agency_default"
    unit: UnitRule
    connector: Annotated[RestConnector | PrometheusConnector | TabularConnector, Field(discriminator="type")]
    fields: dict[str, str] = Field(
        description="Column of the feed, or personal field → where it stands in a record: a JMESPath for REST, a "
        "label for Prometheus, a header ('Group / Name' for two rows) for tables."
    )
    constants: dict[str, str] = Field(
        default_factory=dict, description="Column → text for every row; '{night}' is the night's date."
    )
    codes: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Column → the agency's code → ours, e.g. {'Có': 'true', 'Không': 'false'}."
    )
    date_formats: list[str] = Field(
        default_factory=lambda: ["%d/%m/%Y"], description="strptime formats tried after ISO 8601."
    )

    @property
    def contract(self) -> Contract:
        """The contract of the feed this source fills."""
        return load_contract(self.feed)

    @property
    def content_hash(self) -> str:
        """sha256 over the description, stamped on manifests."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def parse_source(text: str, where: str, environment: dict[str, str] | None = None) -> Source:
    """Read one source from YAML text.

    ``${NAME}`` and ``${NAME:-default}`` are filled from the environment, so that addresses differ between
    machines without a secret ever standing in the file. Raises ConfigError naming ``where`` and the fault.
    """
    known = os.environ if environment is None else environment

    def fill(match: re.Match[str]) -> str:
        value = known.get(match["name"], match["default"])
        if value is None:
            raise ConfigError(f"{match['name']} is not set", where=where, remedy=f"set {match['name']} or give a default")
        return value

    try:
        source = Source.model_validate(yaml.safe_load(_VARIABLE.sub(fill, text)))
    except ValidationError as fault:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in fault.errors())
        raise ConfigError(faults, where=where, remedy="mend the source file") from fault
    except yaml.YAMLError as fault:
        raise ConfigError(f"not YAML: {fault}", where=where, remedy="mend the source file") from fault
    _check_against_contract(source, where)
    return source


def _check_against_contract(source: Source, where: str) -> None:
    """Raise ConfigError unless every field is known to the feed and every required column is given."""
    contract = source.contract
    given = set(source.fields) | set(source.constants)
    if isinstance(source.connector, TabularConnector) and source.connector.title_pattern:
        given |= set(re.compile(source.connector.title_pattern).groupindex)
    if isinstance(source.connector, PrometheusConnector):
        given |= {"measure", "value", "sampled_at", "step_seconds"}
    known = set(contract.columns) | set(contract.personal)
    if unknown := sorted(given - known):
        raise ConfigError(
            f"no column of feed {contract.feed}: {', '.join(unknown)}", where=where, remedy=f"known: {', '.join(sorted(known))}"
        )
    pseudonyms = {p.to_column for name, p in contract.personal.items() if name in given}
    required = {name for name, column in contract.columns.items() if column.required}
    if missing := sorted(required - given - pseudonyms):
        raise ConfigError(
            f"required by feed {contract.feed} but not mapped: {', '.join(missing)}", where=where, remedy="map them under fields or constants"
        )
    if isinstance(source.connector, RestConnector):
        for column, expression in source.fields.items():
            try:
                jmespath.compile(expression)
            except JMESPathError as fault:
                raise ConfigError(f"fields.{column}: {fault}", where=where, remedy="write a JMESPath") from fault


def source_files(sources_dir: Path | None = None) -> list[Path]:
    """All source files below ``include/sources``, sorted by path."""
    return sorted((sources_dir or get_settings().include_dir / "sources").rglob("*.yml"))


def load_source_file(path: Path) -> Source:
    """Read one source file; raises ConfigError naming file, key and remedy."""
    if not path.is_file():
        raise ConfigError("no such file", where=str(path), remedy="give the path of a source YAML")
    source = parse_source(path.read_text("utf-8"), str(path))
    if path.stem != source.source:
        raise ConfigError(f"declares source {source.source!r}", where=str(path), remedy="name the file after its source")
    return source


def load_sources(feed: str | None = None, sources_dir: Path | None = None) -> list[Source]:
    """All enabled sources, of one feed or of all, by id. Raises ConfigError also when two share an id."""
    found: dict[str, Source] = {}
    for path in source_files(sources_dir):
        source = load_source_file(path)
        if source.source in found:
            raise ConfigError(f"source {source.source!r} is declared twice", where=str(path), remedy="rename one of them")
        found[source.source] = source
    return [s for _, s in sorted(found.items()) if s.enabled and feed in (None, s.feed)]
