"""Taking a message to people: by webhook or by mail. A channel that does not take it says why, without its address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dti.attention.message import body, structured, subject
from dti.attention.notice import Due
from dti.attention.routes import Channel, MailChannel
from dti.errors import DtiError
from dti.sources.credentials import CredentialsLookup


class ChannelError(DtiError):
    """A channel did not take a message; it is tried again the next time somebody is told."""

    kind = "channel"


@dataclass(frozen=True)
class Message:
    """What is delivered. ``thread`` is the same for all messages of one cause; ``id`` for all tries of one message."""

    id: str
    thread: str
    is_first: bool
    at: datetime
    subject: str
    text: str
    structured: dict[str, Any]


def message_of(owed: Due, channel: Channel, at: datetime) -> Message:
    """The message that ``channel`` is owed, in its language."""
    cause, message_id = owed.cause, owed.id_on(channel.name)
    return Message(
        id=message_id,
        thread=f"{owed.notice_id}.1.{channel.name}",
        is_first=owed.number == 1,
        at=at,
        subject=subject(cause, owed.told, channel.language),
        text=body(cause, owed.told, owed.first_seen, channel.language),
        structured=structured(cause, owed.told, owed.first_seen, message_id),
    )


def deliver(message: Message, channel: Channel, lookup: CredentialsLookup) -> ChannelError | None:
    """Take ``message`` to ``channel``; gives the fault that kept it from some of those who should have it.

    Raises ChannelError or ConfigError naming the channel, never a secret of it, when it reached nobody.
    """
    if isinstance(channel, MailChannel):
        from dti.attention.mail import send

        return send(message, channel, lookup)
    from dti.attention.webhook import post

    post(message, channel, lookup)
    return None
