"""What a candidate differs in from what was known before, as a value that JSON can hold.

Exact numbers are text in JSON, days and moments ISO 8601.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Side(_Value):
    """What is compared: a run, or a publication with the run it was made of.

    ``at`` is the run id under which its rows stand in schema ``score`` while it is compared.
    """

    kind: Literal["candidate", "publication", "night"]
    at: str = Field(default="", exclude=True)
    run_id: str
    publication_id: str | None = None
    version: int | None = None
    year: int
    as_of_date: date
    data_cut_off: datetime | None
    finished_at: datetime
    framework_id: str
    framework_hash: str
    framework_in_force: bool
    family: str
    geography: str
    merge_method: str
    corrections_hash: str | None
    reference_hash: str | None
    synthetic: bool

    @property
    def name(self) -> str:
        """What people call it: the publication, or the run."""
        return self.publication_id or self.run_id


class Measure(_Value):
    """A composite or a pillar of the candidate's framework."""

    code: str
    kind: Literal["composite", "pillar"]
    name_vi: str
    name_en: str


class IndicatorPart(_Value):
    """What one indicator gave to the change of one pillar or composite of one unit; the parts add up to the change."""

    pillar_code: str
    indicator_no: int
    indicator_code: str
    indicator_name: str
    points_before: Decimal | None
    points_after: Decimal | None
    max_points: Decimal
    status_before: str | None
    status_after: str | None
    contribution: Decimal


class Move(_Value):
    """One pillar or composite of one unit whose rank or shown value differs. ``ranks_gained`` is above 0 for a move up:
    ``ranks_gained_own`` had only this unit changed, ``ranks_gained_others`` by what the others did."""

    unit_id: str
    unit_name: str
    region_code: str
    measure: str
    value_before: Decimal
    value_after: Decimal
    index_change: Decimal
    rank_before: int
    rank_after: int
    ranks_gained: int
    ranks_gained_own: int
    ranks_gained_others: int
    overtook: list[str]
    overtaken_by: list[str]
    indicators: list[IndicatorPart]


class Restated(_Value):
    """Days of one unit and source that say something else than before, or say something at last."""

    unit_id: str
    unit_name: str
    successor_unit_id: str | None
    feed: str
    source_id: str
    kind: str
    days_count: int
    first_day: date
    last_day: date
    columns: list[str] | None


class CorrectionChange(_Value):
    """A correction of one value that the two sides do not treat alike."""

    correction_id: str
    unit_id: str
    unit_name: str
    successor_unit_id: str | None
    target_kind: str
    target: str
    action: str
    change: Literal["added", "removed", "changed"]
    status_before: str | None
    status_after: str | None
    given_value: Decimal | None
    first_day: date
    last_day: date
    reason: str
    document: str


class Comparison(_Value):
    """The candidate against one side. Without a side, or with other units, ``why_not`` says why there is nothing."""

    against: Literal["publication", "night"]
    side: Side | None
    why_not: str = ""
    note: str = ""
    method_changes: list[str] = []
    moves: list[Move] = []
    restated: list[Restated] = []
    corrections: list[CorrectionChange] = []

    @property
    def is_comparable(self) -> bool:
        """Whether there was anything to compare."""
        return self.side is not None and not self.why_not

    def rank_changes(self, measure: str | None = None) -> list[Move]:
        """The units whose rank changed, the farthest move first; of one measure, or of all."""
        changed = [move for move in self.moves if move.ranks_gained and measure in {None, move.measure}]
        return sorted(changed, key=lambda move: (-abs(move.ranks_gained), move.rank_after, move.unit_id))


class Difference(_Value):
    """A candidate beside the last publication and the newest night of its year."""

    request_id: str
    candidate: Side
    units_count: int
    measures: list[Measure]
    publication: Comparison
    night: Comparison

    @property
    def main(self) -> Comparison | None:
        """The comparison that matters most: the publication's, without one the night's."""
        return next((each for each in (self.publication, self.night) if each.is_comparable), None)
