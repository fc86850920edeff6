"""The step that this code runs in, and what is known of it: whoever watches a night is told, whoever works just works.

A step is entered in ``dti.flow``. The rooms below know of no watcher: what only they can tell (the id that a batch was
given) they put here with :func:`note`, which does nothing where nobody watches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime

FIELDS = ("step", "feed", "source", "batch_id", "run_id", "night", "request_id")
"""What every log line of a step carries, as far as it is known."""


@dataclass
class Step:
    """One step of a night while it runs. ``fields`` are those of ``FIELDS``; ``within`` is the step it is part of."""

    name: str
    fields: dict[str, str] = field(default_factory=dict)
    within: Step | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    told: Callable[[Step], None] | None = None
    lineage_run: str = ""
    _started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self._started


_CURRENT: ContextVar[Step | None] = ContextVar("dti_step", default=None)


def current() -> Step | None:
    """The innermost step of this thread; None outside of any."""
    return _CURRENT.get()


@contextmanager
def entered(step: Step) -> Iterator[Step]:
    """Run the block within ``step``."""
    token = _CURRENT.set(step)
    try:
        yield step
    finally:
        _CURRENT.reset(token)


def note(**fields: str) -> None:
    """Add to what is known of the step at hand, and let its watcher know."""
    step = _CURRENT.get()
    if step is not None:
        step.fields.update(fields)
        if step.told is not None:
            step.told(step)
