"""A framework of which only the structure and the published results are known: kept, shown, never computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dti.index.model import (
    Code,
    Composite,
    FamilyName,
    Finding,
    FrameworkId,
    GeographyId,
    InForce,
    Number,
    Provenance,
    Text,
    UnitLevel,
    nearest_line,
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishedPillar(_Strict):
    """A pillar as far as it is known; an empty figure is not known, never zero."""

    code: Code
    name_vi: Text
    name_en: Text
    group_vi: Text | None = None
    max_points: Number | None = None
    component_count: int | None = Field(default=None, ge=0)
    criteria_count: int | None = Field(default=None, ge=0)
    provenance: Provenance


class PublishedFramework(_Strict):
    """What is known of a method whose components are not: enough to place published figures, too little to compute."""

    framework: FrameworkId
    status: Literal["published_only"]
    why: Text = Field(description="Why it cannot be computed.")
    family: FamilyName = "dti"
    decision: Text
    decided_on: date | None = None
    name_vi: Text
    name_en: Text
    unit_level: UnitLevel
    geography: GeographyId | None = None
    in_force: InForce
    indicator_count: int | None = None
    criteria_count: int | None = None
    main_indices: tuple[Text, ...] = Field(default=(), description="Main indices that every pillar has.")
    pillars: tuple[PublishedPillar, ...] = Field(min_length=1)
    composites: dict[Code, Composite] = Field(default_factory=dict)
    sources: tuple[Text, ...] = Field(min_length=1)
    folder: str = Field(default="", exclude=True)
    lines: dict[str, int] = Field(default_factory=dict, exclude=True)

    @property
    def framework_id(self) -> str:
        """The name of the folder."""
        return self.framework


def lint_published(framework: PublishedFramework) -> Iterator[Finding]:
    """What does not add up in the structure, where enough of it is known to tell."""

    def found(keys: tuple[str | int, ...], what: str, remedy: str) -> Finding:
        file = str(Path(framework.folder) / "framework.yml")
        return Finding(file=file, line=nearest_line(framework.lines, keys), what=what, remedy=remedy)

    for code, times in Counter(pillar.code for pillar in framework.pillars).items():
        if times > 1:
            yield found(("pillars",), f"pillar {code} is declared twice", "rename or remove one of them")
    for key, counts, whole in (
        ("indicator_count", [p.component_count for p in framework.pillars], framework.indicator_count),
        ("criteria_count", [p.criteria_count for p in framework.pillars], framework.criteria_count),
    ):
        known = [count for count in counts if count is not None]
        if whole is not None and len(known) == len(counts) and sum(known) != whole:
            yield found((key,), f"the pillars add up to {sum(known)}, {key} says {whole}", "correct one of them")
    pillars = {pillar.code for pillar in framework.pillars}
    for code, composite in framework.composites.items():
        if unknown := sorted(set(composite.weights) - pillars):
            what = f"{code} weighs unknown pillar {', '.join(unknown)}"
            yield found(("composites", code, "weights"), what, f"known: {', '.join(sorted(pillars))}")
        total = sum(composite.weights.values(), Decimal(0))
        if total != composite.total_weight:
            what = f"the weights of {code} add up to {total}, declared are {composite.total_weight}"
            yield found(("composites", code), what, "correct the weights, or total_weight")
