"""A cause and a message for tests of the channels."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from dti.attention.channels import Message, message_of
from dti.attention.model import Cause, Effect
from dti.attention.notice import Due, Told
from dti.attention.routes import WebhookChannel
from dti.explain.model import Words

CANARY = "canary-T0CKEN-4711"
AT = datetime(2026, 3, 1, 19, 30, tzinfo=UTC)


def a_cause(**changes: Any) -> Cause:
    """A dead agency."""
    plain: dict[str, Any] = {
        "key": "source_failed/dvc-ca-mau",
        "severity": "critical",
        "fingerprint": "unreachable",
        "feed": "online_services",
        "source_id": "dvc-ca-mau",
        "agency": "Cổng Dịch vụ công tỉnh Cà Mau",
        "owner": "Sở Khoa học và Công nghệ",
        "since": date(2026, 3, 1),
        "title": Words(vi="không lấy được số liệu", en="did not deliver"),
        "what": Words(vi="không trả lời", en="no answer"),
        "effect": Effect(state="unknown", words=Words(vi="Chưa rõ.", en="Unknown.")),
        "remedy": Words(vi="gọi cho cơ quan", en="call the agency"),
        "runbook": "docs/runbooks/dead-agency.md",
    }
    return Cause.model_validate(plain | changes)


def a_message(cause: Cause | None = None, told: Told = "new", number: int = 1) -> Message:
    """The first message of a cause, as a channel called on-duty is owed it."""
    cause = cause or a_cause()
    owed = Due(7, told, cause, AT, number, cause.identity)
    channel = WebhookChannel(name="on-duty", type="webhook", address="https://example.org")
    return message_of(owed, channel, AT)
