"""The shape of a framework: what a decision fixes, as values. Reading it is ``framework``, judging it is ``lint``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Basis = Literal["measured", "appraised", "declared"]
Provenance = Literal["quoted", "inferred", "provisional"]
Rule = Literal["yes_no", "ratio", "target_ratio", "target_count", "steps", "manual"]
"""``manual``: the points themselves are stated, by the unit or by whoever appraised it."""

RULES_WITH_DENOMINATOR: frozenset[Rule] = frozenset({"ratio", "target_ratio"})
RULES_WITH_TARGET: frozenset[Rule] = frozenset({"target_ratio", "target_count"})


DIGITS = 18
"""A number may have so many digits before its point, and as many after: Python rounds what has more than 28."""


def _plain(number: Decimal) -> Decimal:
    """The same number written one way, so that 10, 10.0 and 1E+1 give one content hash."""
    exponent = number.as_tuple().exponent
    if number.adjusted() >= DIGITS or (isinstance(exponent, int) and exponent < -DIGITS) or len(str(number)) > 27:
        raise ValueError(f"a number has at most {DIGITS} digits before its point and as many after, 24 together")
    short = number.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


Number = Annotated[Decimal, Field(allow_inf_nan=False), AfterValidator(_plain)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=40)]
MetricName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=80)]
IndicatorCode = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)*$")]
FrameworkId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Numerator = Annotated[
    str, StringConstraints(pattern=r"^([a-z][a-z0-9_]*|points\.[a-z0-9-]+\.[0-9]+(\.[0-9]+)*)$", max_length=120)
]
"""A metric, or the stated points of an indicator with rule ``manual`` (see ``points_metric``)."""
FamilyName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
UnitLevel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
GeographyId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)]


def points_metric(framework_id: str, code: str) -> str:
    """The name under which the feed ``declarations`` states the points of a ``manual`` indicator."""
    return f"points.{framework_id}.{code}"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Finding(_Strict):
    """One mistake that would make a wrong index: where it stands and what a person should do."""

    file: str
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} — {self.remedy}"


class Step(_Strict):
    """From ``threshold`` on, an indicator earns ``share`` of its points."""

    threshold: Number
    share: Number


class Indicator(_Strict):
    """One component indicator: a rule over a numerator and, where the rule needs it, a denominator.

    ``feed`` is where the measured values of both come from. ``target`` is what earns full points.
    """

    code: IndicatorCode
    pillar_code: Code
    name_vi: Text
    name_en: Text
    max_points: Number
    rule: Rule
    numerator_metric: Numerator
    denominator_metric: MetricName | None = None
    target: Number | None = None
    steps: tuple[Step, ...] = ()
    feed: MetricName
    name_provenance: Provenance
    points_provenance: Provenance
    official_scoring: str = Field(default="", description="Cách xác định và tính điểm, as decided.")
    official_evidence: str = Field(default="", description="Tài liệu kiểm chứng, as decided.")
    official_source: str = Field(default="", description="Nguồn thu thập dữ liệu, as decided.")
    official_verifier: str = Field(default="", description="Đơn vị phối hợp xác minh, as decided.")
    attention: str = Field(default="", description="What a person should look at before relying on it.")
    line: int = Field(default=0, exclude=True, description="Line in indicators.csv; no part of the method.")


class Pillar(_Strict):
    """A main index. ``component_count`` and ``max_points`` are the decision's own figures."""

    code: Code
    name_vi: Text
    name_en: Text
    group_vi: Text
    max_points: Number
    component_count: int
    provenance: Provenance


class Composite(_Strict):
    """A weighted mean of pillar indices; ``total_weight`` is what the weights must add up to."""

    name_vi: Text
    name_en: Text
    total_weight: Number
    provenance: Provenance
    weights: dict[Code, Number] = Field(min_length=1)


class InForce(_Strict):
    """Reporting years the decision covers, both ends included; ``to_year`` empty: still in force."""

    from_year: int = Field(ge=1900, le=2200)
    to_year: int | None = Field(default=None, ge=1900, le=2200)

    def covers(self, year: int) -> bool:
        """Whether the decision is the one in force for reporting year ``year``."""
        return self.from_year <= year and (self.to_year is None or year <= self.to_year)


class Rounding(_Strict):
    """How a published value is rounded, once, at the end."""

    decimals: int = Field(ge=0, le=9)
    mode: Literal["half_up"]


class Unscored(_Strict):
    """What an indicator earns when its value is missing, or its denominator is zero."""

    missing: Literal["zero"]
    undefined: Literal["zero"]


class Framework(_Strict):
    """One method: pillars, composites, indicators, and how values are chosen, rounded and ranked."""

    framework: FrameworkId
    status: Literal["computed"] = "computed"
    family: FamilyName = Field(default="dti", description="What it measures; one framework a family, level and year.")
    replaces: FrameworkId | None = Field(default=None, description="Same decision, better known: years may overlap.")
    decision: Text
    decided_on: date | None = Field(default=None, description="Empty where the decision is not known.")
    name_vi: Text
    name_en: Text
    unit_level: UnitLevel
    geography: GeographyId | None = Field(default=None, description="Whose units; empty: the one in force on the day.")
    in_force: InForce
    max_points: Number
    indicator_count: int
    basis_order: tuple[Basis, ...] = Field(min_length=1)
    unscored: Unscored
    rounding: Rounding
    ranking: Literal["competition"]
    pillars: tuple[Pillar, ...] = Field(min_length=1)
    composites: dict[Code, Composite] = Field(min_length=1)
    sources: tuple[Text, ...] = Field(min_length=1)
    indicators: tuple[Indicator, ...] = Field(min_length=1)
    folder: str = Field(default="", exclude=True, description="Where it was read from; no part of the method.")
    lines: dict[str, int] = Field(default_factory=dict, exclude=True, description="Dotted key → line of framework.yml.")

    @property
    def framework_id(self) -> str:
        """The name runs and commands use; also the name of the folder."""
        return self.framework

    @property
    def content_hash(self) -> str:
        """sha256 over everything that is method; comments, layout and spelling of numbers do not change it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def line_of(self, *keys: str | int) -> int:
        """Line of the nearest enclosing key in framework.yml, counted from 1."""
        return nearest_line(self.lines, keys)


def nearest_line(lines: dict[str, int], keys: Iterable[str | int]) -> int:
    """Line of the deepest known prefix of the dotted path ``keys``; 1 when none is known."""
    path = [str(key) for key in keys]
    prefixes = (".".join(path[:length]) for length in range(len(path), 0, -1))
    return next((lines[prefix] for prefix in prefixes if prefix in lines), 1)
