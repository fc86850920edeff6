"""``dti night``'s own log: one JSON object a line, each with the step it was said in."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import structlog

from dti import steps
from dti.observe.words import in_our_words, tellable
from dti.settings import Settings

KEPT_NIGHTS = 90


def log_path(night: date, settings: Settings) -> Path:
    """The log of a night that ``dti night`` ran; run again, it goes on in the same file."""
    return settings.local_dir / "logs" / f"dti-night-{night.isoformat()}.jsonl"


@contextmanager
def night_log(night: date, settings: Settings) -> Iterator[Path]:
    """Log into :func:`log_path` while the block runs: ours from INFO on, of libraries what they warn of.

    What the console shows stays as it is.
    """
    path = log_path(night, settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    _keep_newest(path.parent)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_formatter(settings))
    handler.addFilter(_worth_keeping)
    root, ours = logging.getLogger(), logging.getLogger("dti")
    before = ours.level
    silent = not root.handlers and logging.lastResort is not None
    if silent:  # without a handler of the root Python shows warnings on the screen; with ours alone it would not
        root.addHandler(logging.lastResort)  # type: ignore[arg-type]
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    try:
        yield path
    finally:
        ours.setLevel(before)
        root.removeHandler(handler)
        if silent:
            root.removeHandler(logging.lastResort)  # type: ignore[arg-type]
        handler.close()


def _worth_keeping(record: logging.LogRecord) -> bool:
    return record.levelno >= (logging.INFO if record.name.partition(".")[0] == "dti" else logging.WARNING)


def _formatter(settings: Settings) -> logging.Formatter:
    def with_seconds(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        step = steps.current()
        if step is not None:
            event.setdefault("duration_seconds", round(step.seconds, 3))
        return event

    def told(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A traceback may hold anything: of it, only what the fault says in our own words."""
        record: logging.LogRecord | None = event.get("_record")
        event.pop("exc_info", None)
        if record is not None and record.exc_info and record.exc_info[1] is not None:
            event["fault"] = in_our_words(record.exc_info[1], settings)
        return {name: tellable(value, settings) if isinstance(value, str) else value for name, value in event.items()}

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            with_seconds,
            told,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        keep_exc_info=False,
    )


def _keep_newest(folder: Path) -> None:
    logs = sorted(folder.glob("dti-night-*.jsonl"), key=os.path.getmtime)
    for path in logs[: -(KEPT_NIGHTS - 1)]:
        path.unlink(missing_ok=True)
