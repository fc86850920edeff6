"""What an explanation is made of. ``dti explain --json`` prints exactly these names; see docs/method.md."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

DECIMALS = 12
"""Places to which an unrounded figure is told, as in the marts."""


def _plain(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


Figure = Annotated[Decimal, PlainSerializer(_plain, return_type=int | float, when_used="json")]
"""A number: exact in Python, a plain number in JSON."""
Level = Literal["quoted", "inferred", "provisional"]
Status = Literal["scored", "missing", "undefined"]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Told):
    """The same thing said in Vietnamese and in English."""

    vi: str
    en: str


class Unit(_Told):
    """The unit explained, in the geography of the run."""

    unit_id: str
    name: Words
    geography: str
    region_code: str
    region: Words | None
    former_unit_ids: list[str] = Field(description="Units whose facts this one takes over, if the run lets it.")


class RunOf(_Told):
    """The run explained."""

    run_id: str
    kind: str
    as_of_date: date
    year: int
    period_from: date
    period_to: date
    geography: str
    merge_method: str = Field(description="none: units' own data; else how former units were merged.")
    parts_run_id: str | None = Field(description="The run of the former units, which an averaged run averages.")
    framework_id: str
    framework_hash: str
    framework_name: Words
    framework_in_force: bool
    decision: str
    decided_on: date | None
    sources: list[str] = Field(description="Where the framework was read.")
    decimals: int = Field(description="Decimals of a published index.")
    synthetic: bool
    finished_at: datetime


class Provenance(_Told):
    """How sure name and points of a component are."""

    name: Level
    points: Level
    words: Words


class Value(_Told):
    """One known value of a metric; at most one of a part counts."""

    basis: str
    feed: str
    value: Figure
    first_day: date
    last_day: date
    source_ids: list[str]
    counts: bool
    why: Words
    original_value: Figure | None = Field(default=None, description="Before it was corrected; none: not corrected.")


class CorrectionTold(_Told):
    """What a correction did in the run to the indicator or to a value behind it, or why it did nothing."""

    correction_id: str
    target_kind: Literal["metric", "indicator"]
    target: str
    basis: str | None = Field(description="Of a metric; none: an indicator.")
    unit_id: str = Field(description="Whose value; a former province where those are merged.")
    action: Literal["drop", "override", "scale", "flag"]
    status: Literal["applied", "flagged", "expired", "not_applicable"]
    given: Figure | None = Field(description="override: the new value; scale: the factor.")
    original: Figure | None
    corrected: Figure | None
    guard: Figure | None = Field(description="What the source held when it was written; none: nothing, or no guard.")
    guard_first_day: date | None
    guard_last_day: date | None
    held: Figure | None = Field(description="What the source held in the run; none: nothing, or not looked at.")
    first_day: date
    last_day: date
    reason: str
    document: str
    detail: str
    words: Words


class FormerValue(_Told):
    """What one former province, or the new one itself, gave to a merged metric."""

    unit_id: str
    name_vi: str
    value: Figure
    first_day: date
    last_day: date


class FormerScore(_Told):
    """What one former province earned, where the new one has the mean."""

    unit_id: str
    name_vi: str
    status: Status
    points: Figure
    coverage: Figure


class Part(_Told):
    """Numerator or denominator of an indicator."""

    part: Literal["numerator", "denominator"]
    metric: str
    name: Words
    metric_unit: str
    aggregation: str
    feed: str
    basis: str | None
    value: Figure | None
    first_day: date | None
    last_day: date | None
    source_ids: list[str]
    metric_sql: str | None = Field(description="File, in the project, that measures it; none when it is unknown.")
    facts_rows: int = Field(description="Rows of daily facts that the value was taken from.")
    values: list[Value] = Field(description="Every known value, the one that counts first.")
    merge_rule: str | None = Field(description="sum, min, max or mean, where former provinces were merged; else none.")
    merged_from: list[FormerValue]


class Batch(_Told):
    """One extraction whose records stand behind the facts, in their newest state."""

    batch_id: str
    night: date
    status: str
    rows_landed: int
    rows_loaded: int
    rows_quarantined: int
    sha256: str
    landed_at: datetime
    numerator_records: int
    denominator_records: int


class HeldRule(_Told):
    """Quarantined records under one rule; each record counted once, however many nights held it."""

    rule: str
    records: int
    numerator_records: int = Field(description="Would have counted in the numerator.")
    denominator_records: int = Field(description="Would have counted in the denominator.")
    undecided_records: int = Field(description="Too broken to tell whether they would have counted.")
    unit_unknown_records: int = Field(description="Of all these, those whose unit nobody knows: perhaps another's.")
    example_batch: str
    example_row: str
    example_reason: str


class Held(_Told):
    """What the gate held back of one source and could have counted here."""

    rules: list[HeldRule]
    came_later_records: int = Field(description="Held back once, passed in another batch: not in ``rules``.")
    other_unit_records: int = Field(description="Held back, but of another unit: not in ``rules``.")
    outside_records: int = Field(description="Of this unit, but would have counted in no part of this figure.")
    stopped_batches: list[str] = Field(description="Batches stopped whole; their records are not told apart.")
    stopped_records: int
    truncated: bool = Field(description="True: more lines are held than were read.")


class Sample(_Told):
    """One record behind the figure, and where an auditor opens it."""

    key: dict[str, str]
    counts_in: list[Literal["numerator", "denominator"]]
    batch_id: str
    file: str | None = Field(description="Landed Parquet file, relative to DTI_HOME; none when landing has it no more.")
    row: int | None = Field(description="Row in that file, from 0.")
    source_row: str | None = Field(description="Where it stood at the agency.")


class Evidence(_Told):
    """What one source gave to the figure."""

    source_id: str
    feed: str
    feed_name: Words
    agency: str
    owner: str
    licence: str
    synthetic: bool
    freshness: str = Field(description="Today, not on the run's day: fresh, stale, failed, stopped, never, unknown.")
    freshness_detail: str | None
    good_until: datetime | None
    rollup_sql: str
    facts_rows: int
    first_day: date | None
    last_day: date | None
    partitions: list[str]
    records: int = Field(description="Records of the lake behind those facts.")
    changed_since_run: bool = Field(description="Batches of this source were loaded after the run: counts may differ.")
    batches: list[Batch]
    held: Held
    samples: list[Sample]


class Provider(_Told):
    """A source that could give what is missing."""

    source_id: str
    feed: str
    agency: str
    freshness: str
    detail: str | None
    reported_before: bool = Field(description="It has facts of this unit, if not of this metric in this period.")


class Indicator(_Told):
    """The definition, as the framework of the run has it."""

    code: str
    name: Words
    pillar_code: str
    pillar_name: Words
    max_points: Figure
    rule: str
    target: Figure | None
    steps: list[tuple[Figure, Figure]] = Field(description="From this value on, this share of the points.")
    provenance: Provenance
    official_scoring: str | None = Field(description="How the decision itself puts it, where its table was loaded.")


class IndicatorResult(_Told):
    """What came out."""

    status: Status
    numerator: Figure | None
    denominator: Figure | None
    value: Figure | None
    original_value: Figure | None = Field(default=None, description="Before its correction; none: not corrected.")
    share: Figure | None = Field(description="Share of the points before it is held between 0 and 1; none: unknown.")
    is_capped: bool
    points: Figure
    max_points: Figure
    lost: Figure
    coverage: Figure = Field(description="0 when missing, else 1; of a mean: the share of its parts that are known.")


class IndicatorExplanation(_Told):
    """An indicator of one unit, explained."""

    kind: Literal["indicator"] = "indicator"
    unit: Unit
    run: RunOf
    indicator: Indicator
    result: IndicatorResult
    rule: Words
    calculation: Words
    basis: str | None
    basis_order: list[str]
    basis_reason: Words
    parts: list[Part] = Field(description="Empty for a mean of former provinces: see averaged_from.")
    averaged_from: list[FormerScore]
    corrections: list[CorrectionTold] = Field(description="Of the indicator, and of its metrics; expired ones too.")
    evidence: list[Evidence]
    providers: list[Provider] = Field(description="Who could give what is missing; empty when nothing is.")
    remedy: Words | None
    notes: list[Words]


class Component(_Told):
    """What one indicator gave to its pillar."""

    code: str
    name: Words
    points: Figure
    max_points: Figure
    lost: Figure
    status: Status
    basis: str | None
    is_capped: bool
    provenance: Level
    provider_feed: str | None = Field(description="For a missing one: the feed that should give it.")


class PillarResult(_Told):
    """What came out; a pillar without points has neither index nor rank."""

    points: Figure
    max_points: Figure
    lost: Figure
    index_value: Figure | None
    index_unrounded: Figure | None
    coverage: Figure
    rank_national: int | None
    rank_region: int | None
    units: int
    units_in_region: int


class PillarSums(_Told):
    """The components added up, and where the lost points went."""

    points: Figure
    max_points: Figure
    lost: Figure
    lost_missing: Figure
    lost_undefined: Figure
    lost_scored: Figure
    agrees: bool = Field(description="The sum of the components is the pillar's stored figure.")


class PillarExplanation(_Told):
    """A pillar of one unit, explained."""

    kind: Literal["pillar"] = "pillar"
    unit: Unit
    run: RunOf
    code: str
    name: Words
    group_vi: str
    provenance: Level
    result: PillarResult
    calculation: Words
    components: list[Component] = Field(description="Most lost first.")
    sums: PillarSums
    notes: list[Words]


class Share(_Told):
    """What one pillar gave to a composite."""

    pillar_code: str
    name: Words
    weight: Figure
    index_value: Figure
    index_unrounded: Figure
    contribution: Figure = Field(description="weight × index / sum of the weights")
    lost: Figure
    coverage: Figure
    max_points: Figure
    one_more_point: Figure | None = Field(
        description="By how much one more point there raises the composite; none: full."
    )
    rank_with_one_more: int | None


class CompositeResult(_Told):
    """What came out."""

    index_value: Figure
    index_unrounded: Figure
    coverage: Figure
    rank_national: int
    rank_region: int
    units: int
    units_in_region: int


class Above(_Told):
    """The next better unit."""

    unit_id: str
    name_vi: str
    index_value: Figure
    gap: Figure
    rank: int


class CompositeSums(_Told):
    """The pillars added up."""

    weight: Figure
    contribution: Figure
    lost: Figure
    agrees: bool


class CompositeExplanation(_Told):
    """A composite of one unit, explained."""

    kind: Literal["composite"] = "composite"
    unit: Unit
    run: RunOf
    code: str
    name: Words
    provenance: Level
    result: CompositeResult
    calculation: Words
    pillars: list[Share] = Field(description="In the official order.")
    sums: CompositeSums
    next_above: Above | None
    notes: list[Words]


Explanation = IndicatorExplanation | PillarExplanation | CompositeExplanation
