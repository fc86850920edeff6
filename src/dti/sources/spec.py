"""A source: one system of one agency, described by ``include/sources/<anything>/<source>.yml``. Here it is read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dti.documents import load_yaml
from dti.errors import ConfigError
from dti.settings import get_settings
from dti.sources.fitness import check_against_contract
from dti.sources.model import (
    ChangeTime,
    HttpConnector,
    OAuth2,
    Paging,
    PrometheusConnector,
    PrometheusQuery,
    RestConnector,
    Source,
    TabularConnector,
    UnitRule,
)

__all__ = [
    "ChangeTime",
    "HttpConnector",
    "OAuth2",
    "Paging",
    "PrometheusConnector",
    "PrometheusQuery",
    "RestConnector",
    "Source",
    "TabularConnector",
    "UnitRule",
    "filled_document",
    "load_source_file",
    "load_sources",
    "parse_source",
    "shape_faults",
    "source_files",
]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def parse_source(text: str, where: str, environment: Mapping[str, str] | None = None) -> Source:
    """Read one source from YAML text and hold it against the contract of its feed.

    Raises ConfigError naming ``where`` and the fault.
    """
    document = filled_document(text, where, environment)
    try:
        source = Source.model_validate(document)
    except ValidationError as fault:
        faults = "; ".join(f"{key}: {message}" for key, message in shape_faults(fault))
        raise ConfigError(faults, where=where, remedy="mend the source file") from None
    check_against_contract(source, where)
    return source


def filled_document(text: str, where: str, environment: Mapping[str, str] | None = None) -> Any:
    """The YAML document in ``text``, with ``${NAME}`` and ``${NAME:-default}`` in its values filled in.

    Addresses differ between machines; so they come from the environment, without a secret ever standing in the file.
    Raises ConfigError when the text is no YAML or a variable without default is not set.
    """
    try:
        document = load_yaml(text)
    except yaml.YAMLError as fault:
        raise ConfigError(f"not YAML: {fault}", where=where, remedy="mend the source file") from None
    return _fill(document, os.environ if environment is None else environment, where)


def shape_faults(fault: ValidationError) -> list[tuple[str, str]]:
    """What pydantic found, as (key of the file, message); without the values, which may come from the environment."""
    found = []
    for error in fault.errors(include_input=False, include_url=False):
        keys = list(error["loc"])
        if keys[:1] == ["connector"]:
            del keys[1:2]  # the kind of connector, which pydantic puts between
        found.append((".".join(map(str, keys)) or "file", error["msg"]))
    return found


def _fill(value: Any, known: Mapping[str, str], where: str) -> Any:
    """``value`` with every ``${NAME}`` in its texts replaced. Values only: a comment or a key asks for nothing."""

    def variable(match: re.Match[str]) -> str:
        text = known.get(match["name"], match["default"])
        if text is None:
            raise ConfigError(
                f"{match['name']} is not set", where=where, remedy=f"set {match['name']} or give a default"
            )
        return text

    if isinstance(value, str):
        return _VARIABLE.sub(variable, value)
    if isinstance(value, dict):
        return {key: _fill(item, known, where) for key, item in value.items()}
    return [_fill(item, known, where) for item in value] if isinstance(value, list) else value


def source_files(sources_dir: Path | None = None) -> list[Path]:
    """All source files below the folder of sources, sorted by path."""
    return sorted((sources_dir or get_settings().sources_dir).rglob("*.yml"))


def load_source_file(path: Path) -> Source:
    """Read one source file; raises ConfigError naming file, key and remedy."""
    if not path.is_file():
        raise ConfigError("no such file", where=str(path), remedy="give the path of a source YAML")
    try:
        source = parse_source(path.read_text("utf-8"), str(path))
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8", where=str(path), remedy="save it as UTF-8") from None
    if path.stem != source.source:
        raise ConfigError(
            f"declares source {source.source!r}", where=str(path), remedy="name the file after its source"
        )
    return source


def load_source(source_id: str, sources_dir: Path | None = None) -> Source:
    """The enabled source of that id, read from its own file only: another agency's broken file must not stop it.

    Raises ConfigError naming file, key and remedy, or saying which sources there are.
    """
    paths = source_files(sources_dir)
    named = [path for path in paths if path.stem == source_id]
    if len(named) > 1:
        raise ConfigError(f"source {source_id!r} is declared twice", where=str(named[1]), remedy="rename one of them")
    if not named or not (source := load_source_file(named[0])).enabled:
        known = ", ".join(path.stem for path in paths)
        raise ConfigError("no such enabled source", where=source_id, remedy=f"known files: {known}")
    return source


def load_sources(feed: str | None = None, sources_dir: Path | None = None) -> list[Source]:
    """All enabled sources, of one feed or of all, by id. Raises ConfigError also when two share an id."""
    found: dict[str, Source] = {}
    for path in source_files(sources_dir):
        source = load_source_file(path)
        if source.source in found:
            raise ConfigError(
                f"source {source.source!r} is declared twice", where=str(path), remedy="rename one of them"
            )
        found[source.source] = source
    return [s for _, s in sorted(found.items()) if s.enabled and feed in (None, s.feed)]


def readable_sources(sources_dir: Path | None = None) -> tuple[list[Source], dict[str, ConfigError]]:
    """The enabled sources whose files are sound, by id, and by file name what is wrong with the others.

    For whatever must go on when one agency's file is broken; ``load_sources`` is for whatever must not.
    """
    sound: list[Source] = []
    broken: dict[str, ConfigError] = {}
    for path in source_files(sources_dir):
        try:
            sound.append(load_source_file(path))
        except ConfigError as fault:
            broken[path.stem] = fault
    return sorted((s for s in sound if s.enabled), key=lambda s: s.source), broken
