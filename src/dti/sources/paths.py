"""JMESPath, with a short way for the expressions that nearly every mapping is made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import jmespath
from jmespath.visitor import TreeInterpreter

Get = Callable[[Any], Any]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\s*\|\|\s*[A-Za-z_][A-Za-z0-9_]*)+")


def getter(path: str) -> Get:
    """The function that finds ``path`` in a record (an object of JSON).

    A name and a choice of names (``NgayNopHoSo || NgayTiepNhan``) take a tenth of the time of the interpreter and mean
    the same. Raises JMESPathError here when the path does not compile, from the function when it does not fit.
    """
    if _NAME.fullmatch(path):
        return partial(item, path)
    if _NAMES.fullmatch(path):
        return partial(_first_true, [name.strip() for name in path.split("||")])
    # One interpreter for all records; search() would make one for each.
    return partial(TreeInterpreter().visit, jmespath.compile(path).parsed)


def names_in(path: str) -> set[str]:
    """Every name that stands in ``path``, and perhaps a function's."""
    return set(_NAME.findall(path))


def item(name: str, record: dict[str, Any]) -> Any:
    """The value under ``name``, or None."""
    return record.get(name)


def _first_true(names: list[str], record: dict[str, Any]) -> Any:
    """As ``||`` of JMESPath does: the first that is not empty, null or false (0 is none of these), else the last."""
    value: Any = None
    for name in names:
        value = record.get(name)
        if value or (value == 0 and value is not False):
            return value
    return value
