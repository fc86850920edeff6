"""Moments of a program at which something happens to it: it is killed, or its server goes away."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import dti

OURS = str(Path(dti.__file__).parent)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(moment: str, act: Callable[[], None] = die) -> None:
    """Make this process die ``before`` or ``after`` a function: ``before:dti.lake.merge``; ``#2``: at its 2nd call.

    Another ``act`` than dying happens once, and the process goes on.
    """
    when, _, target = moment.partition(":")
    target, _, nth = target.partition("#")
    module_name, _, attribute = target.rpartition(".")
    module = importlib.import_module(module_name)
    original: Callable[..., Any] = getattr(module, attribute)
    calls = 0

    def armed(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != int(nth or 1):
            return original(*args, **kwargs)
        if when == "before":
            act()
        result = original(*args, **kwargs)
        if when == "after":
            act()
        return result

    setattr(module, attribute, armed)


class Steps:
    """Counts the calls of this project's own functions, and of what they call, in this thread.

    Where ``fatal`` is given, the process dies at that one: between any two lines that call something.
    """

    def __init__(self, fatal: int | None = None) -> None:
        self.count, self.fatal = 0, fatal

    def start(self) -> None:
        sys.setprofile(self._see)

    def _see(self, frame: FrameType, event: str, arg: object) -> None:
        if event in ("call", "c_call", "c_return") and frame.f_code.co_filename.startswith(OURS):
            self.count += 1
            if self.count == self.fatal:
                die()
