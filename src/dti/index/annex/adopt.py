"""From an official table to a framework: what is understood becomes a rule, everything else points stated by people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dti.errors import MethodError
from dti.index.annex.head import Head
from dti.index.annex.scoring import Unclear, Understood, understand
from dti.index.annex.tree import Annex, Row
from dti.index.annex.wording import same_name
from dti.index.lint import STATED
from dti.index.model import RULES_WITH_DENOMINATOR, Framework, Indicator, Pillar, points_metric

NO_GROUP = "Không phân nhóm"


@dataclass(frozen=True)
class Proposal:
    """A framework folder before it is written: the content of framework.yml and the rows of indicators.csv."""

    framework_id: str
    head: dict[str, Any]
    rows: tuple[dict[str, str], ...]
    remarks: tuple[str, ...]


def adopt(
    annex: Annex, framework_id: str, head: Head, replaced: Framework | None, pillar_codes: Sequence[str] = ()
) -> Proposal:
    """The framework that ``annex`` lays down.

    A rule is kept only when its text is understood whole and the indicator of the same code and name in ``replaced``
    has the metrics it needs; otherwise the rule is ``manual`` and ``attention`` says why.
    """
    codes = _pillar_codes(annex, replaced, pillar_codes)
    old = {indicator.code: indicator for indicator in replaced.indicators} if replaced else {}
    rows = [_row(row, framework_id, codes[row.code[:1]], old.get(row.dotted), replaced) for row in annex.indicators]
    pillars = [_pillar(annex, row, codes[row.code], replaced) for row in annex.pillars]
    remarks = list(annex.remarks)
    composites = _composites(pillars, replaced, head, remarks)
    return Proposal(
        framework_id, _yaml(framework_id, annex, head, pillars, composites, replaced), tuple(rows), tuple(remarks)
    )


def _pillar_codes(annex: Annex, replaced: Framework | None, given: Sequence[str]) -> dict[tuple[int, ...], str]:
    """Number of each main index → its code: as told, else that of the pillar with the same name, else P and number."""
    if given and len(given) != len(annex.pillars):
        names = ", ".join(pillar.name for pillar in annex.pillars)
        raise MethodError(
            f"{len(given)} pillar codes for {len(annex.pillars)} main indices",
            where=annex.file,
            remedy=f"give one for each, in this order: {names}",
        )
    codes = {}
    for position, row in enumerate(annex.pillars):
        old = _old_pillar(row, replaced)
        codes[row.code] = given[position] if given else old.code if old else f"P{row.dotted}"
    return codes


def _old_pillar(row: Row, replaced: Framework | None) -> Pillar | None:
    return next((p for p in replaced.pillars if same_name(p.name_vi, row.name)), None) if replaced else None


def _row(row: Row, framework_id: str, pillar: str, old: Indicator | None, replaced: Framework | None) -> dict[str, str]:
    points = row.points or Decimal(0)
    scoring = row.texts.get("scoring", "")
    same = old if old is not None and same_name(old.name_vi, row.name) else None
    read = understand(scoring, points)
    rule = {
        "rule": "manual",
        "numerator_metric": points_metric(framework_id, row.dotted),
        "denominator_metric": "",
        "target": "",
        "feed": STATED,
    }
    why = ""
    if isinstance(read, Unclear):
        why = read.why
    elif same is None:
        why = f"the rule is understood ({read.form}), but no known metric goes with it"
        if old is not None and replaced is not None:
            why += f": {row.dotted} of {replaced.framework_id} is {old.name_vi!r}"
    elif not _fits(read, same):
        why = f"the text reads as {read.form}, {row.dotted} was {same.rule} before: other metrics are needed"
    else:
        rule = _rule(read, same)
    attention = [f"rule: {why}"] if why else []
    if same is None:
        attention.append("name_en: the Vietnamese name, not translated")
    return {
        "code": row.dotted,
        "pillar_code": pillar,
        "name_vi": row.name,
        "name_en": same.name_en if same else row.name,
        "max_points": plain(points),
        **rule,
        "name_provenance": "quoted",
        "points_provenance": "quoted",
        "official_scoring": scoring,
        "official_evidence": row.texts.get("evidence", ""),
        "official_source": row.texts.get("source", ""),
        "official_verifier": row.texts.get("verifier", ""),
        "attention": "; ".join(attention),
    }


def _fits(read: Understood, old: Indicator) -> bool:
    """Whether the metrics of ``old`` are what the rule needs: a fraction for shares, one number for the others."""
    if _is_fraction(read):
        is_share = old.target is None or old.target <= 1  # four broadcasts a month is a fraction, but no percentage
        return old.denominator_metric is not None and is_share
    if read.form == "levels":
        shares = {step.share for step in old.steps}
        return old.rule == "steps" and old.denominator_metric is None and shares == set(read.shares)
    return old.rule == read.form


def _rule(read: Understood, old: Indicator) -> dict[str, str]:
    target = plain(read.target) if read.target is not None else ""
    steps = old.steps if read.form == "levels" else read.steps
    if steps:
        target = ";".join(f"{plain(step.threshold)}={plain(step.share)}" for step in steps)
    return {
        "rule": "steps" if read.form == "levels" else read.form,
        "numerator_metric": old.numerator_metric,
        "denominator_metric": (old.denominator_metric or "") if _is_fraction(read) else "",
        "target": target,
        "feed": old.feed,
    }


def _is_fraction(read: Understood) -> bool:
    return read.form in RULES_WITH_DENOMINATOR or read.form == "steps"


def _pillar(annex: Annex, row: Row, code: str, replaced: Framework | None) -> dict[str, Any]:
    old = _old_pillar(row, replaced)
    return {
        "code": code,
        "name_vi": row.name,
        "name_en": old.name_en if old else row.name,
        "group_vi": row.group or (old.group_vi if old else NO_GROUP),
        "max_points": number(row.points or Decimal(0)),
        "component_count": len(annex.indicators_of(row)),
        "provenance": "quoted",
    }


def _composites(
    pillars: list[dict[str, Any]], replaced: Framework | None, head: Head, remarks: list[str]
) -> dict[str, Any]:
    """The composites of ``replaced`` where all its pillars live on and weigh their points; else one over all points.

    The table does not say how composites are formed, so none of them is quoted.
    """
    points = {pillar["code"]: pillar["max_points"] for pillar in pillars if pillar["max_points"]}
    kept: dict[str, Any] = {}
    for code, old in replaced.composites.items() if replaced else ():
        by_points = replaced is not None and all(
            pillar.max_points == old.weights[pillar.code] for pillar in replaced.pillars if pillar.code in old.weights
        )
        if by_points and set(old.weights) <= set(points):
            weights = {pillar: points[pillar] for pillar in old.weights}
            kept[code] = _composite(old.name_vi, old.name_en, weights)
        else:
            remarks.append(f"composite {code} was not carried over: its pillars or weights are others now")
    if not kept:
        kept["TOTAL"] = _composite(head.name_vi, head.name_en, points)
        remarks.append("composite TOTAL weighs each main index by its points; check it against the decision")
    return kept


def _composite(name_vi: str, name_en: str, weights: dict[str, Any]) -> dict[str, Any]:
    total = number(sum((Decimal(str(weight)) for weight in weights.values()), Decimal(0)))
    return {
        "name_vi": name_vi,
        "name_en": name_en,
        "total_weight": total,
        "provenance": "inferred",
        "weights": weights,
    }


def _yaml(
    framework_id: str,
    annex: Annex,
    head: Head,
    pillars: list[dict[str, Any]],
    composites: dict[str, Any],
    replaced: Framework | None,
) -> dict[str, Any]:
    points = annex.total_points
    if points is None:
        points = sum((pillar.points or Decimal(0) for pillar in annex.pillars), Decimal(0))
    optional = {"replaces": head.replaces, "decided_on": head.decided_on, "geography": head.geography}
    known = {key: value for key, value in optional.items() if value is not None}
    return {
        "framework": framework_id,
        "family": head.family,
        "decision": head.decision,
        **known,
        "name_vi": head.name_vi,
        "name_en": head.name_en,
        "unit_level": head.unit_level,
        "in_force": {"from_year": head.from_year, "to_year": head.to_year},
        "max_points": number(points),
        "indicator_count": len(annex.indicators),
        "basis_order": list(replaced.basis_order) if replaced else ["measured", "appraised", "declared"],
        "unscored": {"missing": "zero", "undefined": "zero"},
        "rounding": {"decimals": replaced.rounding.decimals if replaced else 4, "mode": "half_up"},
        "ranking": "competition",
        "pillars": pillars,
        "composites": composites,
        "sources": [f"{annex.file}, imported"],
    }


def plain(value: Decimal) -> str:
    """A number as a person writes it: 10, 7.5."""
    return f"{value.normalize():f}"


def number(value: Decimal) -> int | float:
    """A number of points as YAML writes it."""
    return int(value) if value == value.to_integral_value() else float(value)
