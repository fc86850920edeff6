"""Which file of a drop folder a source reads."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dti.errors import ConfigError, SourceMalformed, SourceMissing
from dti.settings import get_settings

_IN_USE = ("~$", ".")  # what Excel and uploads in progress leave beside a file


def find_file(pattern: str, drop_dir: Path | None, where: str) -> Path:
    """The file that ``pattern`` names: of several, the one whose name sorts last.

    A relative pattern is looked for in ``drop_dir`` (default: ``DTI_HOME/drop``) and may not lead out of it, by
    ``..`` or by a link; an absolute one stands for itself. Raises SourceMissing or ConfigError naming ``where``.
    """
    given = Path(pattern)
    base = Path(given.anchor) if given.is_absolute() else (drop_dir or get_settings().local_dir / "drop").resolve()
    relative = given.relative_to(given.anchor) if given.is_absolute() else given
    if ".." in relative.parts:
        raise ConfigError(f"{pattern!r} leads out of its folder", where=where, remedy="give a path without '..'")
    try:
        found = [base / relative] if (base / relative).is_file() else list(base.glob(str(relative)))
        files = sorted(p for p in found if p.is_file() and not p.name.startswith(_IN_USE))
    except (ValueError, NotImplementedError, IndexError, OSError) as fault:
        what = f"{pattern[:200]!r} is no path ({type(fault).__name__})"
        raise ConfigError(
            what, where=where, remedy="give the name of a file, or a pattern such as 'staff*.xlsx'"
        ) from None
    if not files:
        remedy = "ask the agency for its file, or check connector.path"
        raise SourceMissing(f"no file {pattern!r} in {base}", where=where, remedy=remedy)
    newest = max(files, key=lambda path: (path.name, str(path)))
    if not given.is_absolute() and not newest.resolve().is_relative_to(base):
        raise ConfigError(
            f"{newest.name!r} is a link out of the drop folder", where=where, remedy="put the file itself there"
        )
    return newest


def read_bytes(path: Path, max_bytes: int, where: str) -> bytes:
    """The file's content, read once and under its bound, whatever becomes of the file meanwhile.

    Raises SourceMalformed when it is empty or too large, SourceMissing when it is gone or closed to us.
    """
    try:
        # A pipe would keep us waiting for ever; without waiting it is opened, and seen to be no file.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            about = os.fstat(file.fileno())
            data = file.read(max_bytes + 1) if stat.S_ISREG(about.st_mode) else b""
    except OSError as fault:
        remedy = "look whether it is there and who may read it"
        raise SourceMissing(f"the file cannot be read ({type(fault).__name__})", where=where, remedy=remedy) from None
    if len(data) > max_bytes:
        remedy = "check that it is the right file; if so, raise connector.max_bytes"
        size = max(about.st_size, len(data))
        what = f"the file is too large: {size:,} of at most {max_bytes:,} bytes"
        raise SourceMalformed(what, where=where, remedy=remedy)
    if not data:
        raise SourceMalformed("the file is empty", where=where, remedy="ask the agency to send it again")
    return data
