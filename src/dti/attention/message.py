"""A cause as a message: a subject, a text in Vietnamese and English, and the same for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dti.attention.model import Cause, the_night
from dti.attention.notice import Told
from dti.attention.routes import Language
from dti.clock import ZONE

_LANGUAGES: dict[Language, tuple[str, ...]] = {"vi": ("vi",), "en": ("en",), "both": ("vi", "en")}
_STATES = {
    "vi": {"new": "", "changed": "THAY ĐỔI: ", "reminder": "NHẮC LẠI: ", "resolved": "ĐÃ XONG: "},
    "en": {"new": "", "changed": "CHANGED: ", "reminder": "REMINDER: ", "resolved": "RESOLVED: "},
}
_SEVERITIES = {
    "vi": {"critical": "nghiêm trọng", "warning": "cảnh báo"},
    "en": {"critical": "critical", "warning": "warning"},
}
_LABELS = {
    "vi": ("Cơ quan", "Phụ trách", "Từ đêm", "Chuyện gì", "Ảnh hưởng tới chỉ số", "Cách xử lý", "Sổ tay", "Mã"),
    "en": ("Agency", "Owner", "Since the night of", "What", "Effect on the index", "Remedy", "Runbook", "Key"),
}
_GONE = {"vi": "Không cần làm gì nữa; thấy lần đầu lúc", "en": "Nothing is left to do; it was first seen at"}


def subject(cause: Cause, told: Told, language: Language) -> str:
    """One line: how bad, who, what."""
    first = _LANGUAGES[language][0]
    title = cause.title.vi if first == "vi" else cause.title.en
    return _line(f"[DTI] {_STATES[first][told]}{_SEVERITIES[first][cause.severity]}: {cause.agency}: {title}")


def body(cause: Cause, told: Told, first_seen: datetime, language: Language) -> str:
    """The message in plain text, one block a language."""
    return "\n\n".join(_block(cause, told, first_seen, each) for each in _LANGUAGES[language])


def structured(cause: Cause, told: Told, first_seen: datetime, message_id: str) -> dict[str, Any]:
    """The message for a program."""
    return {"id": message_id, "told": told, "first_seen": first_seen.isoformat(), **cause.model_dump(mode="json")}


def _block(cause: Cause, told: Told, first_seen: datetime, language: str) -> str:
    said = {"vi": "vi", "en": "en"}[language]
    title = f"{_STATES[said][told]}{_SEVERITIES[said][cause.severity]}: {cause.agency}: {getattr(cause.title, said)}"
    if told == "resolved":
        return f"{_line(title)}\n{_GONE[said]} {first_seen.astimezone(ZONE):%Y-%m-%d %H:%M}. ({cause.key})"
    night = the_night(cause.since)
    values = (
        cause.agency,
        cause.owner,
        getattr(night, said) if night else "",
        getattr(cause.what, said),
        getattr(cause.effect.words, said),
        getattr(cause.remedy, said),
        cause.runbook,
        cause.key,
    )
    lines = [f"{label}: {_line(value)}" for label, value in zip(_LABELS[said], values, strict=True) if value]
    return "\n".join([_line(title), *lines])


def _line(text: str) -> str:
    """On one line: a fault's words must not look like lines of ours, nor break a mail's header."""
    return " ".join(text.split())
