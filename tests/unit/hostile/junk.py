"""Strategies: values nobody expects, and sound documents and files with a few things wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

NASTY = [
    "'; drop table ops.batch; --", '"; --', "%s", "%(x)s", ":name", "$1", "{0}", "${HOME}", "\\.", "\\N", "\\",
    "\\x00", "=1+1", "+SUM(A1)", "-2+3", "@SUM(1)", "../../etc/passwd", "/etc/passwd", "..", ".", "con", "nul",
    "a/b", "a\\b", "\x00", "a\x00b", "\ud800", "\udfff", "\ufeff", "\u202eabc", "\u200b", "\x1b[31mred", "\r\n",
    "\n", "\t", " ", "", "NaN", "Infinity", "-Infinity", "1e999", "1e-999", "0x10", "1_000", "1,5", "1.234,56",
    "٣", "１２", "½", "−5", "--5", "9" * 25, "9" * 5000, "0" * 40, "true", "TRUE", "Có", "null", "None",
    "2026-02-30", "0001-01-01", "9999-12-31T23:59:60Z", "2026-06-30T24:00:00+07:00",
    "2026-06-30T00:00:00+99:99", "30/06/2026", "31/02/2026", "1772334000", "epoch", "now", "ſơn La", "Đắk Lắк",
    "Ðắk Lắk", "Đắk\u200bLắk", "Hà Nội", "66", "P34-66", "A" * 70_000, "Ế" * 300, "\U0001f4a3", "ﬁ",
    "<script>alert(1)</script>", "[bold]x[/bold]", "&amp;", "]]>", "<!DOCTYPE x>", "{{7*7}}", "%n%n%n", "`id`",
    "$(id)",
]  # fmt: skip
ANY_TEXT = st.text(alphabet=st.characters(), max_size=30)
TEXTS = st.one_of(
    st.sampled_from(NASTY), ANY_TEXT, st.text(st.sampled_from("-+.,:/eE0123456789 TZđĐắà'\"\\%"), max_size=20)
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, -(2**63) - 1, 10**30, 1e308, 5e-324, -0.0, 0.1 + 0.2]),
    st.floats(),
    TEXTS,
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


def paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document of mappings and lists, the whole left out."""
    children = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in children:
        yield (*path, key)
        yield from paths(value, (*path, key))


@st.composite
def broken(draw: st.DrawFn, documents: list[Any], values: st.SearchStrategy[Any] = JSON) -> Any:
    """A copy of one of ``documents`` with one to three things replaced, removed, renamed or added."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 3))):
        places = list(paths(document))
        if not places:
            return draw(values)
        *above, key = draw(st.sampled_from(places))
        holder = document
        for step in above:
            holder = holder[step]
        match draw(st.sampled_from(["replace", "replace", "remove", "rename", "add"])):
            case "replace":
                holder[key] = draw(values)
            case "remove":
                del holder[key]
            case "rename" if isinstance(holder, dict):
                holder[draw(TEXTS)] = holder.pop(key)
            case _ if isinstance(holder, dict):
                holder[draw(TEXTS)] = draw(values)
            case _:
                holder.insert(key, draw(values))
    return document


@st.composite
def scratched(draw: st.DrawFn, contents: list[bytes]) -> bytes:
    """One of ``contents`` cut off, with bytes overwritten, taken out, put in, or a piece of it doubled."""
    data = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        size = draw(st.integers(1, min(64, len(data))))
        match draw(st.sampled_from(["cut", "overwrite", "remove", "insert", "double"])):
            case "cut":
                del data[at:]
            case "overwrite":
                data[at : at + size] = draw(st.binary(min_size=1, max_size=size))
            case "remove":
                del data[at : at + size]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=16))
            case "double":
                data[at:at] = data[at : at + size]
    return bytes(data)
