"""What a candidate changes: against the last publication of its year, and against the newest night."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection

from dti.annual.checks_sql import rows
from dti.annual.difference_model import (
    Comparison,
    CorrectionChange,
    Difference,
    IndicatorPart,
    Measure,
    Move,
    Restated,
    Side,
)
from dti.annual.difference_sides import Sides
from dti.settings import Settings

__all__ = ["Comparison", "Difference", "differ", "restated_between"]


def differ(connection: Connection, request_id: str, sides: Sides, settings: Settings) -> Difference:
    """The difference of a candidate to ``sides``, which are laid beside it, in the caller's transaction."""
    at = sides.candidate.at
    measures = [Measure(**row) for row in rows(connection, settings, "difference/measure", run_id=at)]
    units = {row["unit_id"] for row in rows(connection, settings, "difference/index_value", run_id=at)}
    order = [measure.code for measure in measures]
    no_publication = f"{sides.candidate.year} ({sides.candidate.family}) has not been published yet"
    no_night = f"no night computed {sides.candidate.year}"
    return Difference(
        request_id=request_id,
        candidate=sides.candidate,
        units_count=len(units),
        measures=measures,
        publication=_compare(connection, "publication", sides.publication, no_publication, sides, order, settings),
        night=_compare(connection, "night", sides.night, no_night, sides, order, settings),
    )


def restated_between(connection: Connection, before: Side, after: Side, settings: Settings) -> list[Restated]:
    """Days that were restated, or came late, between what the two sides knew."""
    found = rows(connection, settings, "difference/restated", before=before.at, after=after.at)
    return [Restated(**row) for row in found]


def corrections_between(
    connection: Connection, before: Side, after: Side, settings: Settings
) -> list[CorrectionChange]:
    """Corrections that the two sides do not treat alike."""
    found = rows(connection, settings, "difference/correction_change", before=before.at, after=after.at)
    return [CorrectionChange(**row) for row in found]


def _compare(
    connection: Connection,
    against: str,
    before: Side | None,
    if_none: str,
    sides: Sides,
    order: list[str],
    settings: Settings,
) -> Comparison:
    after = sides.candidate
    if before is None:
        return Comparison.model_validate({"against": against, "side": None, "why_not": if_none})
    if before.geography != after.geography:
        why = f"{before.name} is of geography {before.geography}, this one of {after.geography}: no unit in common"
        return Comparison.model_validate({"against": against, "side": before, "why_not": why})
    known = {"before": before.at, "after": after.at}
    parts: dict[tuple[str, str], list[IndicatorPart]] = defaultdict(list)
    for row in rows(connection, settings, "difference/indicator_part", **known):
        parts[row.pop("unit_id"), row.pop("measure")].append(IndicatorPart(**row))
    moves = [
        Move(**row, indicators=parts[row["unit_id"], row["measure"]])
        for row in rows(connection, settings, "difference/rank_move", **known)
        if row["measure"] in order
    ]
    moves.sort(key=lambda move: (order.index(move.measure), -abs(move.ranks_gained), move.rank_after, move.unit_id))
    return Comparison.model_validate(
        {
            "against": against,
            "side": before,
            "note": rows(connection, settings, "difference/note", **known)[0]["note"] or "",
            "method_changes": _method_changes(before, after),
            "moves": moves,
            "restated": restated_between(connection, before, after, settings),
            "corrections": corrections_between(connection, before, after, settings),
        }
    )


def _method_changes(before: Side, after: Side) -> list[str]:
    """What else than records differs between the two sides, in words."""
    changes = []
    if before.framework_id != after.framework_id:
        changes.append(f"framework {after.framework_id} instead of {before.framework_id}")
    elif before.framework_hash != after.framework_hash:
        changes.append(
            f"framework {after.framework_id} was edited ({before.framework_hash[:12]} → {after.framework_hash[:12]})"
        )
    if before.merge_method != after.merge_method:
        changes.append(f"former units merged: {after.merge_method} instead of {before.merge_method}")
    if before.reference_hash != after.reference_hash:
        changes.append(f"other reference data ({_short(before.reference_hash)} → {_short(after.reference_hash)})")
    if before.corrections_hash != after.corrections_hash:
        changes.append(f"other corrections ({_short(before.corrections_hash)} → {_short(after.corrections_hash)})")
    if before.synthetic != after.synthetic:
        changes.append("one of the two is of made-up data")
    return changes


def _short(version: str | None) -> str:
    return version[:12] if version else "none"
