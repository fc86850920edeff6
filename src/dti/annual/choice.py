"""Which framework a year is computed with."""

from __future__ import annotations

from sqlalchemy import Connection

from dti.annual.model import RequestError
from dti.errors import MethodError
from dti.index.framework import framework_ids, known_metrics, load_framework, method_error
from dti.index.lint import lint
from dti.index.model import Framework
from dti.index.store import Method, method_of, store_framework
from dti.settings import Settings

FAMILY, UNIT_LEVEL = "dti", "province"
"""What a year means when nobody says more: the provinces' Digital Transformation Index."""


def choose_framework(year: int, settings: Settings) -> str:
    """The framework in force for ``year`` that can be computed. Raises RequestError when there is none, or several."""
    every = [framework for framework in _computed(settings) if (framework.family, framework.unit_level) == _WHOSE]
    found = [framework for framework in every if framework.in_force.covers(year)]
    replaced = {framework.replaces for framework in found}
    found = [framework for framework in found if framework.framework_id not in replaced]
    if len(found) == 1:
        return found[0].framework_id
    what = (
        f"no framework that can be computed is in force for {year}"
        if not found
        else f"several frameworks are in force for {year}"
    )
    named = "; ".join(f"{f.framework_id} (in force {_years(f)})" for f in found or every)
    raise RequestError(
        what,
        where=f"year {year}",
        remedy=f"name one, and the result is marked as an estimate outside its years: {named or 'none is there'}",
    )


def current_framework(connection: Connection, framework_id: str, settings: Settings) -> Method:
    """The framework as its files say now, stored. Raises RequestError when it is none, MethodError when it is wrong.

    Whoever asks names a framework of ours, never a folder: a path would be read, stored and computed with.
    """
    try:
        if framework_id not in framework_ids(settings):
            raise MethodError("no such framework", where=repr(framework_id[:80]), remedy="name one of ours by its id")
        framework = load_framework(framework_id, settings=settings)
    except MethodError as fault:
        known = ", ".join(f.framework_id for f in _computed(settings))
        raise RequestError(
            fault.what, where=fault.where or framework_id, remedy=f"{fault.remedy}; can be computed: {known}"
        ) from None
    if findings := lint(framework, known_metrics(settings)):
        raise method_error(findings)
    store_framework(connection, framework)
    return method_of(framework)


def _computed(settings: Settings) -> list[Framework]:
    found = []
    for framework_id in framework_ids(settings):
        try:
            found.append(load_framework(framework_id, settings=settings))
        except MethodError:
            continue  # kept as published only, or broken: not to be computed with either way
    return found


def _years(framework: Framework) -> str:
    last = framework.in_force.to_year
    return f"{framework.in_force.from_year} to {last}" if last else f"from {framework.in_force.from_year}"


_WHOSE = (FAMILY, UNIT_LEVEL)
