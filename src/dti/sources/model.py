"""The shape of a source description: connector, paging, field mapping, as pydantic models."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from dti.clock import ZONE
from dti.feeds import Contract, load_contract

SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)]


_PROBE = datetime(2026, 11, 23, 21, 47, 58)  # noqa: DTZ001 - only its digits matter


def _read_back(form: str) -> datetime:
    """The probe, written and read in a format; ValueError for one that Python cannot read (``%Y`` twice: re.error)."""
    try:
        return datetime.strptime(_PROBE.strftime(form), form)  # noqa: DTZ007
    except (ValueError, re.error, OverflowError) as fault:
        raise ValueError(f"{form!r} is no strftime format that can be read back") from fault


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Paging(_Strict):
    """How a REST list is read.

    ``keyset``: ask again from the last seen change time (needs ``change_time`` and ascending order), the only
    style that loses nothing while records move and reads the list once; ``page``: numbered pages, read again until
    two passes agree; ``cursor``: the server hands out the next token; ``none``: one answer holds the whole list.
    """

    style: Literal["keyset", "page", "cursor", "none"] = "keyset"
    page_param: str = "page"
    first_page: int = 1
    size_param: str = "size"
    size: int = Field(default=200, ge=1, le=10_000)
    cursor_param: str = "cursor"
    cursor_path: str = Field(default="next", description="JMESPath of the next token in the answer.")
    total_path: str | None = Field(
        default=None,
        description="JMESPath of the total in the answer; falling short of it is an error, with keyset a warning.",
    )
    max_pages: int = Field(default=100_000, ge=1, description="A list that is longer never ends: refused.")
    max_passes: int = Field(default=4, ge=2, description="Patience with pages that shift (styles page and keyset).")


class ChangeTime(_Strict):
    """The request parameters that bound changes, and the record's field that carries the change time.

    ``since_param`` is inclusive: records changed at that very time are in the answer.
    """

    since_param: str
    until_param: str | None = None
    field: str = Field(description="JMESPath of the change time in a record.")
    format: str = Field(default="iso", description="iso, or a strftime format in Asia/Ho_Chi_Minh.")

    @field_validator("format")
    @classmethod
    def _format_can_be_read_back(cls, value: str) -> str:
        """A format that loses the day would ask for the wrong span; one that loses seconds only asks for more."""
        if value != "iso":
            back = _read_back(value)
            if back.date() != _PROBE.date() or back > _PROBE:
                raise ValueError(f"{value!r} does not hold year, month and day")
        return value

    def write(self, moment: datetime) -> str:
        """``moment`` (zone-aware) in the asked format, in Asia/Ho_Chi_Minh."""
        local = moment.astimezone(ZONE)
        return local.isoformat() if self.format == "iso" else local.strftime(self.format)

    def floor(self, moment: datetime) -> datetime:
        """``moment`` as the agency will understand it, once written: without what the format cannot hold."""
        if self.format == "iso":
            return moment
        return datetime.strptime(moment.astimezone(ZONE).strftime(self.format), self.format).replace(tzinfo=ZONE)


class OAuth2(_Strict):
    """Client credentials: login and password of the connection are client id and secret."""

    token_address: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+")]
    scope: str | None = None
    client_auth: Literal["basic", "post"] = Field(
        default="basic", description="Id and secret in the header, or in the body."
    )


class HttpConnector(_Strict):
    """What every connector over HTTP has: an address, and the limits of our patience, all in seconds or bytes."""

    address: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+")]
    timeout_seconds: float = Field(default=30, gt=0, le=600, description="To connect, and between two bytes.")
    answer_seconds: float = Field(default=300, gt=0, description="One whole answer, from question to last byte.")
    pull_seconds: float = Field(
        default=3_300, gt=0, description="One whole pull, waits and retries included; less than the task may take."
    )
    retries: int = Field(default=4, ge=0, le=20, description="Times one question is asked again.")
    max_wait_seconds: float = Field(default=120, gt=0, description="Longest Retry-After that is obeyed.")
    max_answer_bytes: int = Field(default=256_000_000, gt=0, description="A larger answer is refused.")
    ca_file: str | None = Field(
        default=None,
        description="PEM file of the only authority that vouches for the agency; relative: below the checkout. "
        "Unset: the authorities of this machine. The check itself cannot be switched off.",
    )


class RestConnector(HttpConnector):
    """A paged JSON list over HTTP. With ``oauth2`` the connection is a client; without, login and password (basic)."""

    type: Literal["rest"]
    method: Literal["GET", "POST"] = "GET"
    body: Literal["json", "form"] = Field(default="json", description="How POST carries the parameters.")
    params: dict[str, str | int] = Field(default_factory=dict)
    records_path: str = Field(default="data", description="JMESPath of the list of records in the answer.")
    paging: Paging = Paging()
    change_time: ChangeTime | None = None
    oauth2: OAuth2 | None = None

    @model_validator(mode="after")
    def _keyset_needs_time(self) -> RestConnector:
        if self.paging.style == "keyset" and self.change_time is None:
            raise ValueError("paging style keyset needs change_time; a list without one takes style page or cursor")
        return self


class PrometheusQuery(_Strict):
    """One PromQL expression that yields one measure; labels become columns through the source's fields."""

    measure: str
    promql: str


class PrometheusConnector(HttpConnector):
    """The Prometheus HTTP API. Each query is split so that no range passes the server's point limit."""

    type: Literal["prometheus"]
    queries: list[PrometheusQuery] = Field(min_length=1)
    step_seconds: int = Field(default=300, ge=1)
    max_points: int = Field(default=11_000, ge=1, description="Points a series that the server allows.")


class TabularConnector(_Strict):
    """A workbook or CSV in a drop folder.

    ``header_rows`` consecutive rows make one header; the header is found by the field names, wherever it stands.
    ``title_pattern`` is matched on the rows above it; its named groups are columns of every row.
    """

    type: Literal["tabular"]
    path: str = Field(description="File or glob, in the drop folder (DTI_HOME/drop) or absolute; the last name wins.")
    sheet: str | None = Field(default=None, description="Sheet name; unset: the only visible one with data.")
    header_rows: int = Field(default=1, ge=1, le=5)
    encoding: str | None = Field(default=None, description="For CSV; unset: byte order mark, UTF-8, windows-1258.")
    delimiter: str | None = Field(default=None, description="For CSV; unset: found by looking.")
    decimal_comma: bool = Field(default=True, description="1.234,5 is one thousand two hundred thirty-four and a half.")
    title_pattern: str | None = None
    total_labels: list[str] = Field(default_factory=lambda: ["Tổng", "Tổng cộng", "Cộng", "Tổng số"])
    max_bytes: int = Field(default=64_000_000, gt=0, description="A larger file is refused; it is read into memory.")

    @field_validator("title_pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except (re.error, OverflowError, RecursionError) as fault:
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
        default_factory=lambda: ["%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"],
        description="strptime formats tried after ISO 8601; a time without a zone is Vietnamese time.",
    )

    @field_validator("date_formats")
    @classmethod
    def _formats_can_be_read(cls, value: list[str]) -> list[str]:
        for form in value:
            _read_back(form)
        return value

    @property
    def contract(self) -> Contract:
        """The contract of the feed this source fills."""
        return load_contract(self.feed)

    @property
    def content_hash(self) -> str:
        """sha256 over the description, stamped on manifests."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
