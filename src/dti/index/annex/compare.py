"""The difference between two frameworks, indicator by indicator and pillar by pillar."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

from dti.index.annex.adopt import plain
from dti.index.annex.wording import same_name
from dti.index.model import Framework, Indicator

Change = Literal["added", "removed", "moved", "renamed", "points", "rule"]


class Changed(BaseModel):
    """One change of one indicator; ``before`` and ``after`` are empty where there is none."""

    model_config = ConfigDict(frozen=True)
    change: Change
    code: str
    name_vi: str
    before: str = ""
    after: str = ""


class PillarTotal(BaseModel):
    """A pillar in both frameworks; None where it is in one only."""

    model_config = ConfigDict(frozen=True)
    pillar: str
    name_vi: str
    points_before: Decimal | None
    points_after: Decimal | None
    indicators_before: int | None
    indicators_after: int | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_changed(self) -> bool:
        """Whether points or number of indicators differ."""
        before, after = (self.points_before, self.indicators_before), (self.points_after, self.indicators_after)
        return before != after


class Difference(BaseModel):
    """What changes from one framework to another."""

    model_config = ConfigDict(frozen=True)
    before: str
    after: str
    indicators: tuple[Changed, ...]
    pillars: tuple[PillarTotal, ...]

    def of(self, change: Change) -> list[Changed]:
        """The changes of one kind."""
        return [changed for changed in self.indicators if changed.change == change]


def compare(before: Framework, after: Framework) -> Difference:
    """Indicators are the same when code and name agree, else when the name does (moved), else when the code does."""
    pairs, removed, added = _pair(before.indicators, after.indicators)
    changes = [Changed(change="removed", code=i.code, name_vi=i.name_vi, before=plain(i.max_points)) for i in removed]
    changes += [Changed(change="added", code=i.code, name_vi=i.name_vi, after=plain(i.max_points)) for i in added]
    for old, new in pairs:
        changes += _changes(old, new)
    position = {indicator.code: place for place, indicator in enumerate((*after.indicators, *before.indicators))}
    changes.sort(key=lambda changed: position[changed.code])
    return Difference(
        before=before.framework_id,
        after=after.framework_id,
        indicators=tuple(changes),
        pillars=tuple(_pillars(before, after)),
    )


def _pair(
    before: Iterable[Indicator], after: Iterable[Indicator]
) -> tuple[list[tuple[Indicator, Indicator]], list[Indicator], list[Indicator]]:
    """Pairs of the same indicator, and those that are only before or only after."""
    old, new = list(before), list(after)
    pairs: list[tuple[Indicator, Indicator]] = []
    for is_same in (_same_code_and_name, _same_pillar_and_name, _same_code):
        for one in list(old):
            other = next((candidate for candidate in new if is_same(one, candidate)), None)
            if other is not None:
                pairs.append((one, other))
                old.remove(one)
                new.remove(other)
    return pairs, old, new


def _same_code_and_name(one: Indicator, other: Indicator) -> bool:
    return one.code == other.code and same_name(one.name_vi, other.name_vi)


def _same_pillar_and_name(one: Indicator, other: Indicator) -> bool:
    return one.pillar_code == other.pillar_code and same_name(one.name_vi, other.name_vi)


def _same_code(one: Indicator, other: Indicator) -> bool:
    return one.code == other.code


def _changes(old: Indicator, new: Indicator) -> list[Changed]:
    found: list[tuple[Change, str, str]] = []
    if old.code != new.code:
        found.append(("moved", old.code, new.code))
    if not same_name(old.name_vi, new.name_vi):
        found.append(("renamed", old.name_vi, new.name_vi))
    if old.max_points != new.max_points:
        found.append(("points", plain(old.max_points), plain(new.max_points)))
    if rule_in_words(old) != rule_in_words(new):
        found.append(("rule", rule_in_words(old), rule_in_words(new)))
    return [Changed(change=c, code=new.code, name_vi=new.name_vi, before=b, after=a) for c, b, a in found]


def rule_in_words(indicator: Indicator) -> str:
    """The rule of an indicator with its metrics and what earns full points, on one line."""
    if indicator.rule == "manual":
        return "manual: stated points"
    measure = indicator.numerator_metric
    if indicator.denominator_metric:
        measure += f" / {indicator.denominator_metric}"
    full = f", full at {plain(indicator.target)}" if indicator.target is not None else ""
    steps = ", ".join(f"from {plain(step.threshold)}: {plain(step.share)}" for step in indicator.steps)
    return f"{indicator.rule}: {measure}{full}{f', {steps}' if steps else ''} ({indicator.feed})"


def _pillars(before: Framework, after: Framework) -> Iterable[PillarTotal]:
    old, new = ({pillar.code: pillar for pillar in framework.pillars} for framework in (before, after))
    for code in dict.fromkeys([*new, *old]):
        one, other = old.get(code), new.get(code)
        named = other or one
        yield PillarTotal(
            pillar=code,
            name_vi=named.name_vi if named else code,
            points_before=one.max_points if one else None,
            points_after=other.max_points if other else None,
            indicators_before=one.component_count if one else None,
            indicators_after=other.component_count if other else None,
        )
