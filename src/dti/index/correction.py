"""One correction as it is applied and stored: which value of which unit, what becomes of it, and what must still hold.

What a person writes (names, a year, a factor) is ``correction_entry``'s; here everything is said out, so that a stored
correction means the same whatever becomes of the reference data.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from dti.index.model import Number, Text
from dti.warehouse import inputs

CorrectionId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)]
Action = Literal["drop", "override", "scale", "flag"]
Stated = ("declared", "appraised")
"""Bases of figures that a person states for a year; a measured one belongs to days."""
Written = Annotated[Decimal, Field(allow_inf_nan=False)]
"""A number that keeps the decimals it was written with."""
WIDE = Context(prec=100)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Guard(_Strict):
    """What the source held when the correction was written; ``value`` None: nothing.

    Compared over ``first_day`` to ``last_day``, both included; without them over the days of the correction, or, of a
    stated figure and of an indicator, with the value itself.
    """

    value: Written | None
    first_day: date | None = None
    last_day: date | None = None

    def holds(self, held: Decimal | None) -> bool:
        """Whether ``held``, at the decimals the guard is written with and rounded half up, is what it says."""
        if self.value is None or held is None:
            return self.value is None and held is None
        exponent = self.value.as_tuple().exponent
        places = Decimal(1).scaleb(min(0, int(exponent)))
        return held.quantize(places, ROUND_HALF_UP, WIDE) == self.value


class Correction(_Strict):
    """One correction of one value of one unit, over days of Việt Nam with both ends included.

    ``target`` is a metric of ``feed`` and ``basis``, or the code of an indicator of ``framework``. ``given`` is the
    new value of an override, the factor of a scale.
    """

    id: CorrectionId
    unit_id: Text
    target_kind: Literal["metric", "indicator"]
    target: Text
    framework: str = ""
    feed: str = ""
    basis: str = ""
    action: Action
    given: Number | None = None
    first_day: date
    last_day: date
    guard: Guard | None = None
    reason: Text
    document: Text

    @property
    def year(self) -> int:
        """The reporting year of its days; no correction spans two."""
        return self.first_day.year

    @property
    def is_stated(self) -> bool:
        """Whether it corrects a figure that somebody states for the year."""
        return self.basis in Stated

    @property
    def guard_days(self) -> tuple[date, date] | None:
        """The days over which the guard is compared; None: it has none, or compares the value itself."""
        if self.guard is None or self.is_stated or self.target_kind == "indicator":
            return None
        return self.guard.first_day or self.first_day, self.guard.last_day or self.last_day

    def overlaps(self, other: Correction) -> bool:
        """Whether both would change the same value on the same day."""

        def value(of: Correction) -> tuple[str, ...]:
            return of.unit_id, of.target_kind, of.target, of.framework, of.feed, of.basis

        changes = "flag" not in (self.action, other.action)
        shared = self.first_day <= other.last_day and other.first_day <= self.last_day
        return changes and shared and value(self) == value(other)


class CorrectionSet(_Strict):
    """All corrections that stand at a moment, known by their content; order and files do not matter."""

    corrections: tuple[Correction, ...] = ()

    @field_validator("corrections")
    @classmethod
    def _by_id(cls, given: tuple[Correction, ...]) -> tuple[Correction, ...]:
        return tuple(sorted(given, key=lambda each: each.id))

    @property
    def content(self) -> list[dict[str, Any]]:
        """What is stored as JSON, by id; ``correction_set_of`` reads it."""
        return [each.model_dump(mode="json") for each in self.corrections]

    @property
    def content_hash(self) -> str:
        """The version under which the content is kept: sha256 over it."""
        return inputs.content_hash(self.content)


def correction_set_of(content: list[dict[str, Any]]) -> CorrectionSet:
    """The set whose ``content`` was stored."""
    return CorrectionSet.model_validate({"corrections": content})
