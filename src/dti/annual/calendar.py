"""``include/annual/calendar.yml``: when a year is collected, appraised and published, and what is asked for by itself.

Every date says where it comes from: ``quoted`` was read in a source, ``ours`` is this project's choice and never shown
as official.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dti.clock import ZONE, day_end, day_start
from dti.documents import load_yaml
from dti.errors import ConfigError, MethodError
from dti.index.geography import MergeMethod
from dti.index.model import Finding, FrameworkId, GeographyId, Text
from dti.settings import Settings

FILE = "annual/calendar.yml"
ASKS_AT = time(6, 0)
"""When the calendar asks on a publication date, in Asia/Ho_Chi_Minh: after the night of the day before is computed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Sourced(_Strict):
    """Something with a provenance. ``source`` names where it was read, or says why it was chosen."""

    provenance: Literal["quoted", "ours"]
    source: Text


class Window(_Sourced):
    """Days from ``first_day`` to ``last_day``, both included, in Việt Nam."""

    first_day: date
    last_day: date

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.last_day < self.first_day:
            raise ValueError(f"ends on {self.last_day}, before it begins on {self.first_day}")
        return self


class Publication(_Sourced):
    """The day on which the result came out, or is to come out; ``planned`` when it was announced for another time."""

    day: date
    planned: str = ""


class Year(_Strict):
    """One reporting year. ``not_computed`` says why the calendar does not ask for it."""

    year: int = Field(ge=2000, le=2200)
    framework: FrameworkId | None = None
    geography: GeographyId | None = None
    merge_method: MergeMethod | None = None
    collection: Window | None = None
    appraisal: Window | None = None
    publication: Publication | None = None
    not_computed: Text | None = None
    note: Text

    @model_validator(mode="after")
    def _whole(self) -> Year:
        if self.not_computed is None:
            wanted = {"framework": self.framework, "appraisal": self.appraisal, "publication": self.publication}
            if missing := [name for name, value in wanted.items() if value is None]:
                raise ValueError(f"{', '.join(missing)} not given: give them, or say in not_computed why not")
        ends = [window.last_day for window in (self.collection, self.appraisal) if window]
        starts = [window.first_day for window in (self.collection, self.appraisal) if window]
        if self.publication:
            starts.append(self.publication.day)
        if any(end >= start for end, start in zip(ends, starts[1:], strict=False)):
            raise ValueError("collection, appraisal and publication must follow each other")
        if any(start.year <= self.year for start in starts):
            raise ValueError(f"a year is collected, appraised and published after it is over, from {self.year + 1} on")
        return self

    @property
    def as_of(self) -> datetime | None:
        """What became known after this moment does not count: the end of the last day of appraisal."""
        return day_end(self.appraisal.last_day) if self.appraisal else None

    @property
    def asked_at(self) -> datetime | None:
        """When the calendar asks for it; None: it does not."""
        if self.publication is None or self.not_computed is not None:
            return None
        return datetime.combine(self.publication.day, ASKS_AT, tzinfo=ZONE)


class Calendar(_Strict):
    """All years of the calendar. Publication dates before ``asks_from`` are history and ask for nothing."""

    asks_from: date
    years: tuple[Year, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Calendar:
        listed = [entry.year for entry in self.years]
        if listed != sorted(set(listed)):
            raise ValueError("years must stand once each, in order")
        return self

    @property
    def begins_at(self) -> datetime:
        """Midnight in Việt Nam from which it asks."""
        return day_start(self.asks_from)

    def asks_for(self) -> list[Year]:
        """The years that the calendar asks for, by the day on which it does."""
        asked = [(at, entry) for entry in self.years if (at := entry.asked_at) and at.date() >= self.asks_from]
        return [entry for _, entry in sorted(asked, key=lambda pair: pair[0])]

    def of(self, year: int) -> Year | None:
        """The entry of a reporting year."""
        return next((entry for entry in self.years if entry.year == year), None)


def load_calendar(settings: Settings) -> Calendar:
    """The calendar. Raises ConfigError naming the file, the entry and what to mend."""
    path = settings.include_dir / FILE
    try:
        return Calendar.model_validate(load_yaml(path.read_text("utf-8")))
    except OSError:
        raise ConfigError("no such file", where=str(path), remedy="take it back from version control") from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise ConfigError(f"not YAML: {fault}", where=str(path), remedy="mend the syntax") from None
    except ValidationError as fault:
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in fault.errors())
        raise ConfigError(said, where=str(path), remedy="mend the entry (entries are counted from 0)") from None


def lint_calendar(calendar: Calendar, settings: Settings) -> list[Finding]:
    """What the calendar says that frameworks and units do not bear out: a year it asks for must be computable."""
    from dti.index.framework import framework_ids, load_framework
    from dti.index.shelf import unit_levels

    ids, known = framework_ids(settings), {geography for geography, _ in unit_levels(settings)}
    findings = []
    for entry in calendar.years:
        if entry.framework is not None and entry.framework not in ids:
            findings.append(_found(settings, entry, f"no framework {entry.framework}", f"known: {', '.join(ids)}"))
        elif entry.framework is not None and entry.not_computed is None:
            try:
                load_framework(entry.framework, settings=settings)
            except MethodError as fault:
                findings.append(_found(settings, entry, str(fault), "say so in not_computed"))
        if entry.geography is not None and entry.geography not in known:
            remedy = f"known: {', '.join(sorted(known))}"
            findings.append(_found(settings, entry, f"no geography {entry.geography}", remedy))
    return findings


def _found(settings: Settings, entry: Year, what: str, remedy: str) -> Finding:
    path = settings.include_dir / FILE
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    marks = (number for number, text in enumerate(lines, 1) if text.replace(" ", "") == f"-year:{entry.year}")
    return Finding(file=str(path), line=next(marks, 1), what=f"year {entry.year}: {what}", remedy=remedy)
