"""Who is told what: ``include/notify.yml``. Without it nobody is told anything but by ``dti status``.

Addresses may come from the environment (``${NAME}``), secrets only from connections, as those of sources do.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from dti.attention.model import SEVERITIES, Cause, Severity
from dti.errors import ConfigError
from dti.settings import Settings
from dti.sources.spec import filled_document

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
Address = Annotated[str, StringConstraints(pattern=r"^[^\s<>@,;]+@[^\s<>@,;]+$", max_length=250)]
Language = Literal["vi", "en", "both"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Channel(_Strict):
    """What every channel has: who is told of what, and in which language. Unset: of everything."""

    name: Name
    language: Language = "both"
    severities: list[Severity] = Field(default=list(SEVERITIES), min_length=1)
    feeds: list[str] | None = None
    agencies: list[str] | None = Field(default=None, description="As in the source files.")
    timeout_seconds: float = Field(default=10, gt=0, le=60)

    def wants(self, cause: Cause) -> bool:
        """Whether this channel is told of it. What is about no feed or agency is kept from those that name some."""
        return (
            cause.severity in self.severities
            and (self.feeds is None or cause.feed in self.feeds)
            and (self.agencies is None or cause.agency in self.agencies)
            and cause.key != f"channel_failed/{self.name}"
        )


class WebhookChannel(_Channel):
    """A JSON POST. Without ``address`` the password of ``connection`` is the address, as where it is a secret."""

    type: Literal["webhook"]
    address: str | None = None
    connection: Name | None = None
    signature: Name | None = Field(default=None, description="Connection whose password signs each message.")
    body: Literal["full", "text"] = Field(default="full", description="text: nothing but a field of that name.")
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _has_one_address(self) -> WebhookChannel:
        if (self.address is None) == (self.connection is None):
            raise ValueError("give address, or connection where the address is a secret")
        return self


class MailChannel(_Channel):
    """Mail by SMTP, under TLS unless the server is on this machine."""

    type: Literal["mail"]
    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    connection: Name | None = Field(default=None, description="Login and password, where the server wants them.")
    sender: Address
    to: list[Address] = Field(min_length=1)
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _is_protected(self) -> MailChannel:
        if self.security == "none" and not is_this_machine(self.host):
            raise ValueError("security none is for a server on this machine only")
        return self


Channel = Annotated[WebhookChannel | MailChannel, Field(discriminator="type")]


class Routes(_Strict):
    """Who is told what, and how often."""

    remind_after_days: float = Field(default=7, gt=0, description="A cause that lasts is told again after so long.")
    request_waits_days: int = Field(default=3, ge=1, description="A recomputation may wait so long for approval.")
    channels: list[Channel] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Routes:
        names = [channel.name for channel in self.channels]
        if len(names) != len(set(names)):
            raise ValueError("two channels have one name")
        return self


def load_routes(settings: Settings) -> Routes:
    """Who is told what; no channels when there is no file. Raises ConfigError naming the file and what to mend."""
    path = settings.notify_file
    try:
        written = filled_document(path.read_text("utf-8"), str(path))
    except FileNotFoundError:
        return Routes()
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8", where=str(path), remedy="save it as UTF-8") from None
    try:
        return Routes.model_validate(written or {})
    except ValidationError as fault:
        errors = fault.errors(include_input=False, include_url=False)  # a value may be an address that is a secret
        said = "; ".join(f"{'.'.join(map(str, error['loc'])) or 'file'}: {error['msg']}" for error in errors)
        raise ConfigError(
            said, where=str(path), remedy="mend the entry; docs/notifications.md lists the keys"
        ) from None


def is_this_machine(host: str) -> bool:
    """Whether a name or address means the machine itself."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def host_of(address: str) -> str:
    """The host of an address: all of it that may be shown, for the rest can be a secret."""
    return urlsplit(address).hostname or "?"
