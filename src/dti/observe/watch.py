"""The one hook into the pipeline: a step's name, what it was called with, and what it returned or raised."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, ParamSpec, Protocol, TypeVar

from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars, unbind_contextvars

from dti import steps
from dti.observe.words import in_our_words
from dti.settings import Settings, get_settings
from dti.steps import Step

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)
_NAMES = {"source_id": "source"}
"""Arguments of a step whose field is called otherwise."""


class Watcher(Protocol):
    """Told of a step when it starts, when more is known of it, and when it ends."""

    def started(self, step: Step, given: Mapping[str, Any], settings: Settings) -> None:
        """The step begins; ``given`` are its arguments."""

    def known(self, step: Step, settings: Settings) -> None:
        """A field was added to the step."""

    def ended(
        self, step: Step, given: Mapping[str, Any], result: Any, fault: BaseException | None, settings: Settings
    ) -> None:
        """The step returned ``result`` or raised ``fault``."""


def observed(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a step of a night, which takes ``settings``: it is logged, measured, and its lineage told."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def watched(*args: P.args, **kwargs: P.kwargs) -> R:
            return _watched(name, signature, function, *args, **kwargs)

        return watched

    return decorate


def part(name: str, function: Callable[P, R]) -> Callable[P, R]:
    """``function`` as a part of the step at hand, watched like a step of its own."""
    return observed(name)(function)


def _watched(name: str, signature: inspect.Signature, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    given = signature.bind(*args, **kwargs).arguments
    settings = given.get("settings") or get_settings()
    step = Step(name, _fields(name, given), within=steps.current())
    watchers = _watchers(settings)

    def told(changed: Step) -> None:
        for watcher in watchers:
            with _harmless(watcher):
                watcher.known(changed, settings)

    step.told = told
    result: Any = None
    fault: BaseException | None = None
    with steps.entered(step), _lines_tell(step):
        for watcher in watchers:
            with _harmless(watcher):
                watcher.started(step, given, settings)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            fault = error
            raise
        finally:
            if isinstance(result, dict):
                step.fields |= {
                    n: v for n in ("batch_id", "run_id", "request_id") if isinstance(v := result.get(n), str)
                }
            bind_contextvars(**step.fields)
            for watcher in watchers:
                with _harmless(watcher):
                    watcher.ended(step, given, result, fault, settings)
    return result  # type: ignore[no-any-return]


@contextmanager
def _lines_tell(step: Step) -> Iterator[None]:
    """Every log line of the block carries the step's fields, also Airflow's own; afterwards as before."""
    before = {name: value for name, value in get_contextvars().items() if name in steps.FIELDS}
    bind_contextvars(**step.fields)
    try:
        yield
    finally:
        unbind_contextvars(*steps.FIELDS)
        bind_contextvars(**before)


def _fields(name: str, given: Mapping[str, Any]) -> dict[str, str]:
    """What the arguments tell of a step; a part is of the feed and night of the step around it."""
    around = steps.current()
    fields = dict(around.fields) if around else {}
    values = dict(given)
    for each in given.values():  # a manifest or a verdict says itself what it is of
        if hasattr(each, "batch_id"):
            values |= {field: getattr(each, field, None) for field in ("batch_id", "feed", "source_id", "night")}
    for argument, value in values.items():
        field = _NAMES.get(argument, argument)
        if field in steps.FIELDS and isinstance(value, str | date):
            fields[field] = value.isoformat() if isinstance(value, date) else value
    return fields | {"step": name}


def _watchers(settings: Settings) -> list[Watcher]:
    """Those that are switched on. Imported here, because a DAG file imports the flow to parse."""
    from dti.observe.metrics import Metrics, is_on
    from dti.observe.telling import Lineage

    found: list[Watcher] = [Logged(), Lineage()]
    with _harmless(found[0]):
        if is_on():
            found.append(Metrics())
    return found


class Logged:
    """Notes when a step starts and how it ended; between them, every line of the step carries its fields."""

    def started(self, step: Step, given: Mapping[str, Any], settings: Settings) -> None:
        """One line."""
        _log.info("%s starts", step.name)

    def known(self, step: Step, settings: Settings) -> None:
        """From here on, lines carry what became known."""
        bind_contextvars(**step.fields)

    def ended(
        self, step: Step, given: Mapping[str, Any], result: Any, fault: BaseException | None, settings: Settings
    ) -> None:
        """One line, with the seconds it took; of a fault, what may be told."""
        told = {"duration_seconds": round(step.seconds, 3)}
        with bound_contextvars(**told):
            if fault is None:
                _log.info("%s ends after %.1f s", step.name, step.seconds)
            else:
                _log.info("%s fails after %.1f s: %s", step.name, step.seconds, in_our_words(fault, settings))


@contextmanager
def _harmless(watcher: object) -> Iterator[None]:
    """What goes wrong in watching is a line in the log, and nothing else."""
    try:
        yield
    except Exception as fault:  # noqa: BLE001 - no step may fail because somebody watches it
        _log.warning("%s: %s while watching; the step goes on", type(watcher).__name__, type(fault).__name__)
        _log.debug("while watching", exc_info=fault)
