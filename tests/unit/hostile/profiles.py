"""How many cases are tried, and what is asked of each: an answer, or an error of ours that names file or source.

``HYPOTHESIS_PROFILE=nightly`` tries more than ten thousand, other ones each time. Without it the cases are few and the
same on every machine.
"""

from __future__ import annotations

import functools
import os
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dti.errors import DtiError

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
CASES: Counter[str] = Counter()
"""Cases tried in this process, by test."""


def fuzz(ci: int, nightly: int, **strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """Try a test on ``ci`` cases, on ``nightly`` ones in the nightly profile, and count them."""

    def decorate(test: Callable[..., None]) -> Any:
        @functools.wraps(test)
        def one(*args: Any, **kwargs: Any) -> None:
            CASES[test.__name__] += 1
            test(*args, **kwargs)

        bounded = settings(
            max_examples=nightly if NIGHTLY else ci,
            derandomize=not NIGHTLY,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        )
        return bounded(given(**strategies)(one))

    return decorate


def told(call: Callable[[], Any], *named: str) -> Any:
    """What ``call`` answers; None when it raised an error of ours that names all of ``named`` and a remedy.

    Any other exception is a crash, and fails the test.
    """
    try:
        return call()
    except DtiError as error:
        fault = error
    assert all(name in str(fault) for name in named), f"{fault!r} does not name {named}"
    assert fault.what, repr(fault)
    assert fault.remedy, repr(fault)
    steering = {sign for sign in str(fault) if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert steering <= {"\n", "\t"}, "an error may steer no terminal and break no line"
    return None
