"""Corrections taken in a run: the metrics behind its indices are corrected, those of its indicators made ready.

Runs between measuring and scoring, in the run's transaction. Every correction of a unit of the run writes one row into
``score.correction``, applied or not, with the value before and after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, cast

from sqlalchemy import Connection, column, insert, table, text

from dti.index.correct_rules import Aggregation, Days, Figure, Outcome, Seen, correct
from dti.index.correction import Correction, CorrectionSet
from dti.index.identity import Run
from dti.settings import Settings

_Key = tuple[str, str, str, str]
"""(unit, metric, feed, basis) of a value."""
_ROW = (
    "run_id", "correction_id", "unit_id", "target_kind", "target", "feed", "basis", "position", "action", "status",
    "given_value", "original_value", "corrected_value", "guard_value", "guard_first_day", "guard_last_day",
    "held_value", "first_day", "last_day", "reason", "document", "detail",
)  # fmt: skip
_CORRECTION = table("correction", *map(column, _ROW), schema="score")


def correct_metrics(
    connection: Connection, run: Run, corrections: CorrectionSet, known: Mapping[str, object], settings: Settings
) -> None:
    """Correct what was just measured of the units of ``known['geography']``, and lay their indicators' corrections out.

    ``known`` is what the metrics were measured with: geography, year, from_day, to_day, as_of (days in Việt Nam, both
    ends included). Called once for each part of the period that is measured by itself; where former units are merged
    it is their own part that is corrected (``score.metric_part``), before anything is merged. A correction counts in
    runs of its own reporting year, one of an indicator in those of its framework.
    """
    units = _units(connection, known)
    own = [each for each in corrections.corrections if each.unit_id in units and each.year == run.year]
    rows = [_indicator_row(run, each, known) for each in own
            if each.target_kind == "indicator" and each.framework == run.framework_id]  # fmt: skip
    metrics = [each for each in own if each.target_kind == "metric"]
    if run.merge_method == "average":
        why = "the run averages what former units earned and has no figures: correct the former unit's"
        rows += [_row(run, each, "not_applicable", detail=why) for each in metrics]
    elif metrics:
        rows += _correct(connection, run, metrics, units, _Facts(connection, known, settings, {*units}))
    if rows:
        connection.execute(insert(_CORRECTION), rows)


def _correct(
    connection: Connection, run: Run, corrections: list[Correction], units: Mapping[str, Days], facts: _Facts
) -> list[dict[str, Any]]:
    by_value: dict[_Key, list[Correction]] = defaultdict(list)
    for each in corrections:
        by_value[each.unit_id, each.target, each.feed, each.basis].append(each)
    values = _Values(connection, run)
    aggregation = {
        (metric, feed): how
        for metric, feed, how in connection.execute(text("select metric, feed, aggregation from metric"))
    }
    rows = []
    for key, wanted in by_value.items():
        unit_id, metric, feed, basis = key
        how = "stated" if wanted[0].is_stated else aggregation.get((metric, feed))
        if how is None:
            why = "the reference data of the run does not know the metric"
            rows += [_row(run, each, "not_applicable", detail=why) for each in wanted]
            continue
        valid = units[unit_id]
        seen = Seen(
            aggregation=cast("Aggregation", how),
            days=(max(facts.days[0], valid[0]), min(facts.days[1], valid[1])),
            unit_days=valid,
            as_of=facts.as_of,
            measured=facts.of(unit_id, metric, feed, basis),
        )
        before = values.read(key)
        after, outcomes = correct(wanted, before, seen)
        if after != before:
            values.write(key, after)
        rows += [_outcome_row(run, outcome, position) for position, outcome in enumerate(outcomes, start=1)]
    return rows


def _units(connection: Connection, known: Mapping[str, object]) -> dict[str, Days]:
    """Unit → its first and last day, of the geography."""
    found = connection.execute(
        text("select unit_id, valid_from, valid_to from unit where geography = :geography"),
        {"geography": known["geography"]},
    )
    return {
        unit_id: (valid_from or date.min, valid_to - timedelta(days=1) if valid_to else date.max)
        for unit_id, valid_from, valid_to in found
    }


@dataclass
class _Facts:
    """The metrics of any days, each feed and span asked once."""

    connection: Connection
    known: Mapping[str, object]
    settings: Settings
    units: set[str]
    asked: dict[tuple[str, date, date], dict[tuple[str, str, str], Figure]] = field(default_factory=dict)

    @property
    def days(self) -> Days:
        return cast("date", self.known["from_day"]), cast("date", self.known["to_day"])

    @property
    def as_of(self) -> date:
        return cast("date", self.known["as_of"])

    def of(self, unit_id: str, metric: str, feed: str, basis: str) -> Callable[[date, date], Figure | None]:
        """The value over given days, as a run over them would have it."""
        return lambda first_day, last_day: self._over(feed, first_day, last_day).get((unit_id, metric, basis))

    def _over(self, feed: str, first_day: date, last_day: date) -> dict[tuple[str, str, str], Figure]:
        key = feed, first_day, last_day
        if key not in self.asked:
            measured = (self.settings.include_dir / "sql" / "metrics" / f"{feed}.sql").read_text("utf-8")
            found = self.connection.execute(
                text(
                    "select unit_id, metric, basis, value, first_day, last_day, source_ids"  # noqa: S608 -- a file of ours
                    f" from (\n{measured}\n) as measured where unit_id = any(:units)"
                ),
                {**self.known, "from_day": first_day, "to_day": last_day, "units": sorted(self.units)},
            )
            self.asked[key] = {
                (row.unit_id, row.metric, row.basis): Figure(
                    Decimal(row.value), row.first_day, row.last_day, tuple(row.source_ids)
                )
                for row in found
            }
        return self.asked[key]


@dataclass(frozen=True)
class _Values:
    """The run's values: those of its units, or what each former unit gives to them."""

    connection: Connection
    run: Run

    @property
    def _merged(self) -> bool:
        return self.run.merge_method == "recomputed"

    @property
    def _place(self) -> str:
        unit = "part_unit_id" if self._merged else "unit_id"
        return f"run_id = :run_id and {unit} = :unit_id and metric = :metric and feed = :feed and basis = :basis"

    @property
    def _table(self) -> Literal["score.metric_part", "score.metric_value"]:
        return "score.metric_part" if self._merged else "score.metric_value"

    def _bound(self, key: _Key) -> dict[str, object]:
        return {"run_id": self.run.run_id, **dict(zip(("unit_id", "metric", "feed", "basis"), key, strict=True))}

    def read(self, key: _Key) -> Figure | None:
        """The value as it stands; None: not known."""
        found = self.connection.execute(
            text(f"select value, first_day, last_day, source_ids from {self._table} where {self._place}"),  # noqa: S608
            self._bound(key),
        ).one_or_none()
        if found is None:
            return None
        return Figure(found.value, found.first_day, found.last_day, tuple(found.source_ids))

    def write(self, key: _Key, figure: Figure | None) -> None:
        """Put ``figure`` in its place; None: what is not known has no row."""
        self.connection.execute(text(f"delete from {self._table} where {self._place}"), self._bound(key))  # noqa: S608
        if figure is None:
            return
        names, values = ("unit_id", ":unit_id")
        if self._merged:
            names = "unit_id, part_unit_id"
            values = (
                "coalesce((select unit_id_34 from unit_succession where unit_id_63 = :unit_id), :unit_id), :unit_id"
            )
        self.connection.execute(
            text(
                f"insert into {self._table} (run_id, {names}, metric, feed, basis, value, first_day, last_day,"  # noqa: S608
                f" source_ids) values (:run_id, {values}, :metric, :feed, :basis, :value, :first_day, :last_day,"
                " :source_ids)"
            ),
            {**self._bound(key), **asdict(figure), "source_ids": list(figure.source_ids)},
        )


def _indicator_row(run: Run, each: Correction, known: Mapping[str, object]) -> dict[str, Any]:
    """Pending for the scores to take up, unless the run gives this unit no score of its own."""
    if run.merge_method == "average":
        why = "the run averages what former units earned: correct the former unit's indicator"
    elif known["geography"] != run.geography:
        why = f"the run scores the unit that {each.unit_id} is part of now: correct that, or a metric"
    else:
        return _row(run, each, "pending")
    return _row(run, each, "not_applicable", detail=why)


def _outcome_row(run: Run, outcome: Outcome, position: int) -> dict[str, Any]:
    return _row(
        run,
        outcome.correction,
        outcome.status,
        position=position,
        original_value=outcome.original,
        corrected_value=outcome.corrected,
        held_value=outcome.held,
        detail=outcome.detail,
    )


def _row(run: Run, each: Correction, status: str, **told: Any) -> dict[str, Any]:
    guard_days = each.guard_days or (None, None)
    return {
        **dict.fromkeys(_ROW),
        **each.model_dump(include={"unit_id", "target_kind", "target", "feed", "basis", "action", "first_day",
                                   "last_day", "reason", "document"}),
        "run_id": run.run_id,
        "correction_id": each.id,
        "position": 1,
        "given_value": each.given,
        "guard_value": each.guard.value if each.guard else None,
        "guard_first_day": guard_days[0],
        "guard_last_day": guard_days[1],
        "status": status,
        "detail": "",
        **told,
    }  # fmt: skip
