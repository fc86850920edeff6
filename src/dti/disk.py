"""A full disk, in the words of whichever library met it, as one error that says where and what to do."""

from __future__ import annotations

import errno
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from dti.errors import DtiError, SourceError
from dti.settings import Settings, get_settings

P = ParamSpec("P")
R = TypeVar("R")

_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_WORDS = re.compile(r"no space left on device|disk quota exceeded|file too large|os error (28|27|122)\b", re.IGNORECASE)
"""As Python, Arrow, DuckDB, Delta and PostgreSQL say it; only the first gives the number every time."""


class DiskFull(DtiError):
    """Nothing more can be written: space must be made, then the step is repeated."""

    kind = "disk full"


def full_disk(error: BaseException, home: Path) -> DiskFull | None:
    """The error to tell when a full disk is behind ``error``; None when something else is."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, DiskFull):
            return found
        if not isinstance(found, SourceError) and _is_full(found):
            where = found.where if isinstance(found, DtiError) else getattr(found, "filename", None)
            return DiskFull(
                "no space left on the disk, or a quota reached",
                where=str(where or home),
                remedy=f"free space on the disk of {home} (DTI_HOME; of the PostgreSQL server, if it is another), then "
                "repeat the step: nothing that is half-written counts, and nothing is lost",
            )
        found = found.__cause__ or found.__context__
    return None


def tells_full_disk(step: Callable[P, R]) -> Callable[P, R]:
    """Decorate a step, which takes ``settings``: a full disk is told as DiskFull, with the step's own error behind."""

    @functools.wraps(step)
    def telling(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return step(*args, **kwargs)
        except Exception as error:
            settings = kwargs.get("settings")
            home = (settings if isinstance(settings, Settings) else get_settings()).local_dir
            if (full := full_disk(error, home)) is None or full is error:
                raise
            raise full from error

    return telling


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _NUMBERS:
        return True
    return getattr(error, "sqlstate", None) == "53100" or bool(_WORDS.search(str(error)))
