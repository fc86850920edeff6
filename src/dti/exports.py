"""Text that goes out to a spreadsheet: shown as it is, never run."""

from __future__ import annotations

import re

_RUNS = re.compile(r"[\s\x00-\x1f\ufeff\u200b-\u200f\u2060\"']*[=+\-@|%＝＋－＠−]|[\t\r\n]")
_HARMLESS = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]{1,3})?|[-+−]")


def inert(text: str) -> str:
    """``text`` as one cell of a CSV that people open in a spreadsheet: what a program would run gets a leading ``'``.

    A cell is run when it begins with ``=``, ``+``, ``-`` or ``@`` (also written wide, as East Asian programs read
    them), with a tab or a line end, or with ``|`` or ``%`` (DDE), behind any blanks, quotes or invisible signs. Numbers
    such as -12,5 and a lone dash stay as they are. A workbook needs none of this: there, write the cell as a string.

    Only the first sign decides: the CSV writer must quote separators and line ends within the cell, as Python's does,
    else a text could begin a cell of its own. See OWASP, "CSV Injection".
    """
    return f"'{text}" if _RUNS.match(text) and not _HARMLESS.fullmatch(text) else text
