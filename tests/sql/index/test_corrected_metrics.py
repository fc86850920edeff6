"""Corrections of metrics from daily facts to metric values: against the oracle, and case by case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from dti.index.corrections import Correction, CorrectionSet, Guard
from dti.index.geography import Succession
from dti.index.identity import Run
from dti.index.run import measure, open_run, score
from dti.index.standing import Standing
from dti.index.store import store_framework
from dti.settings import Settings
from dti.warehouse.connect import engine
from tests.oracle.correcting import Fix, corrected

U, FORMER = "P34-66", "P63-66"
JANUARY = date(2026, 1, 1)
UP, SERVERS = "data_centre_up_seconds", "servers_total"


def day(number: int) -> date:
    """The first days of 2026, from 1."""
    return JANUARY + timedelta(days=number - 1)


def correction(name: str = "c", **changes: Any) -> Correction:
    """Drops the seconds of Đắk Lắk's data centre on 3 January 2026, while they are 30."""
    given_guard = changes.pop("guard", Guard(value=Decimal(30)))
    plain: dict[str, Any] = {
        "id": name, "unit_id": U, "target_kind": "metric", "target": UP, "feed": "data_centre", "basis": "measured",
        "action": "drop", "first_day": day(3), "last_day": day(3), "guard": given_guard, "reason": "doubled",
        "document": "12/CV",
    }  # fmt: skip
    return Correction(**{**plain, **changes})


@dataclass(frozen=True)
class Bench:
    """One open transaction with a method and facts, rolled back when the test ends."""

    connection: Connection
    settings: Settings
    run: Run

    def do(self, sql: str, rows: list[dict[str, Any]]) -> None:
        """One statement for each row."""
        if rows:
            self.connection.execute(text(sql), rows)

    def report(self, days: dict[int, object], unit: str = U, column: str = UP) -> None:
        """Facts of a data centre by number of the day."""
        expected = ", data_centre_expected_seconds" if column == UP else ""
        self.do(
            "insert into facts.data_centre"
            f" (partition_key, day, unit_id, source_id, data_centre_id, {column}{expected})"
            f" values ('2026', :day, :unit, 's1', 'one', cast(:value as numeric){', 100' if expected else ''})"
            " on conflict (partition_key, day, unit_id, source_id, data_centre_id)"
            f" do update set {column} = excluded.{column}",
            [{"day": day(number), "unit": unit, "value": value} for number, value in days.items()],
        )

    def state(self, value: object, on: date, basis: str = "declared") -> None:
        """A figure stated for 2026."""
        self.do(
            "insert into facts.declarations values ('2026', :day, :unit, 's2', 2026, 'security_drills', :basis,"
            " cast(:value as numeric), null)",
            [{"day": on, "unit": U, "value": value, "basis": basis}],
        )

    def take(self, *corrections: Correction, **changes: Any) -> dict[str, dict[str, Any]]:
        """Measure with ``corrections``; what became of each, by id."""
        former = changes.pop("former", None)
        run = replace(self.run, **changes)
        open_run(self.connection, run)
        standing = Standing(CorrectionSet(corrections=corrections), None, None)
        measure(self.connection, run, self.settings, standing, former)
        found = self.connection.execute(text("select * from score.correction where run_id = 'test'")).mappings()
        return {row["correction_id"]: dict(row) for row in found}

    def figure(self, metric: str = UP, table: str = "metric_value", basis: str = "measured") -> Any:
        """The row of a metric of Đắk Lắk; None: it is not known."""
        return (
            self.connection.execute(
                text(
                    f"select * from score.{table} where run_id = 'test' and unit_id = :unit and metric = :metric"
                    " and basis = :basis"
                ),
                {"unit": U, "metric": metric, "basis": basis},
            )
            .mappings()
            .one_or_none()
        )

    def value(self, metric: str = UP, basis: str = "measured") -> Decimal | None:
        """Its value."""
        row = self.figure(metric, basis=basis)
        return row and Decimal(row["value"])


@pytest.fixture
def bench(warehouse: Settings, framework: Any) -> Iterator[Bench]:
    method = framework([{"rule": "target_count", "target": 10, "numerator_metric": UP, "feed": "data_centre"}])
    run = Run("test", "test", day(10), 2026, "little", method.content_hash, "34", JANUARY, day(10), True)
    with engine(warehouse, "loader").connect() as connection:
        store_framework(connection, method)
        yield Bench(connection, warehouse, run)
        connection.rollback()


numbers = st.integers(1, 12)
amounts = st.sampled_from(["0", "1", "2", "7", "12.5", "30"])


@st.composite
def corrections_of(draw: st.DrawFn, days: dict[int, str], adding: str) -> list[Correction]:
    """Up to three corrections over days that do not overlap, with guards that hold, or do not."""
    found, begin = [], 1
    for number in range(draw(st.integers(1, 3))):
        first = begin + draw(st.integers(0, 3))
        last = first + draw(st.integers(0, 3))
        begin = last + 1
        action = draw(st.sampled_from(["drop", "override", "scale", "flag"]))
        amount = draw(st.sampled_from(["0", "3", "0.5", "40.25"])) if action in {"override", "scale"} else None
        looked = draw(st.one_of(st.none(), st.tuples(numbers, numbers).map(sorted)))
        start, stop = looked or (first, last)
        there = [Decimal(value) for at, value in sorted(days.items()) if start <= at <= stop]
        held = (sum(there) if adding == "sum" else there[-1]) if there else None
        said = draw(st.sampled_from([held, held, held, Decimal("12.4"), Decimal(1), None]))
        found.append(
            correction(
                f"c{number}", action=action, given=amount, first_day=day(first), last_day=day(last),
                target=UP if adding == "sum" else SERVERS,
                guard=Guard(value=said, **({"first_day": day(start), "last_day": day(stop)} if looked else {})),
            )
        )  # fmt: skip
    return found


def as_fix(each: Correction) -> Fix:
    assert each.guard is not None
    looked = (each.guard.first_day, each.guard.last_day)
    return Fix(
        action=each.action,
        amount=Fraction(each.given or 0),
        guard="missing" if each.guard.value is None else f"{each.guard.value}",
        days=(each.first_day, each.last_day),
        guard_days=None if None in looked else looked,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("adding", ["sum", "last"])
def test_any_corrections_give_what_days_written_anew_would(bench: Bench, adding: str) -> None:
    metric = UP if adding == "sum" else SERVERS
    whole = st.sampled_from(["0", "1", "2", "7", "30"])

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        days = data.draw(st.dictionaries(numbers, amounts if adding == "sum" else whole, max_size=6))
        wanted = data.draw(corrections_of(days, adding))
        with bench.connection.begin_nested() as example:
            bench.report(days, column=metric)
            outcome, value = bench.take(*wanted), bench.value(metric)
            row = bench.figure(metric)
            example.rollback()
        facts = {day(number): Fraction(figure) for number, figure in days.items()}
        expected, expired = corrected(facts, adding, JANUARY, day(10), [as_fix(each) for each in wanted])
        assert value == (None if expected is None else Fraction(expected)), outcome
        assert {c.id for c in wanted if as_fix(c) in expired} == {
            name for name, told in outcome.items() if told["status"] == "expired"
        }
        assert row is None or row["first_day"] <= row["last_day"]
        steps = sorted(outcome.values(), key=lambda told: told["position"])
        assert [told["position"] for told in steps] == list(range(1, len(wanted) + 1))
        raw, _ = corrected(facts, adding, JANUARY, day(10), [])
        assert steps[0]["original_value"] == raw, "the original is kept"
        assert steps[-1]["corrected_value"] == value
        assert all(one["corrected_value"] == two["original_value"] for one, two in pairwise(steps))

    holds()


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({}, 70), ({"action": "scale", "given": "0.5"}, 85), ({"action": "override", "given": 3}, 73),
        ({"action": "flag", "guard": None}, 100), ({"last_day": date(2026, 12, 31), "first_day": day(3)}, 100),
        ({"guard": Guard(value=Decimal(100), first_day=day(1), last_day=day(8))}, 70),
        ({"guard": Guard(value=Decimal("30.0"))}, 70), ({"guard": Guard(value=Decimal("30.1"))}, 100),
    ],
    ids=["drop", "scale", "override", "flag", "days to come", "guard over other days", "decimals", "repaired"],
)  # fmt: skip
def test_only_the_corrected_days_of_a_flow_change(bench: Bench, changes: dict[str, Any], value: int) -> None:
    bench.report({2: 50, 3: 30, 5: 20})
    bench.take(correction(**changes))
    assert bench.value() == value


def test_a_repaired_source_ends_a_correction_loudly(bench: Bench) -> None:
    bench.report({3: 15, 5: 20})
    told = bench.take(correction())["c"]
    assert bench.value() == 35
    assert (told["status"], told["held_value"], told["guard_value"]) == ("expired", 15, 30)
    assert (told["guard_first_day"], told["guard_last_day"]) == (day(3), day(3))
    assert (told["original_value"], told["corrected_value"]) == (35, 35)
    assert told["detail"] == (
        "the source now holds 15, the guard says 30: not applied; take it out of include/corrections, or renew its"
        " guard if the fault is still there"
    )


def test_a_guard_over_days_that_are_not_over_is_not_known_yet(bench: Bench) -> None:
    bench.report({3: 30})
    told = bench.take(correction(last_day=day(12), first_day=day(3)))["c"]
    assert (told["status"], told["held_value"], bench.value()) == ("not_applicable", None, 30)
    assert "not known yet: its guard looks at days up to 2026-01-12, the run at days up to 2026-01-10" in told["detail"]
    told = bench.take(correction(first_day=day(3), last_day=day(12)), as_of_date=day(12), period_to=day(12))["c"]
    assert (told["status"], bench.value()) == ("applied", None)


def test_dropping_every_day_with_facts_leaves_nothing_known(bench: Bench) -> None:
    bench.report({3: 30, 5: 0})
    told = bench.take(
        correction("a"), correction("b", first_day=day(5), last_day=day(5), guard=Guard(value=Decimal(0)))
    )
    assert (bench.value(), bench.figure()) == (None, None), "a zero would say that the centre was down"
    assert [told[name]["corrected_value"] for name in "ab"] == [0, None]
    assert bench.value("data_centre_expected_seconds") == 200, "only the metric that is named"


def test_a_drop_moves_the_days_and_sources_behind_a_flow(bench: Bench) -> None:
    bench.report({3: 30, 5: 20, 6: 1})
    bench.take(correction())
    row = bench.figure()
    assert (row["first_day"], row["last_day"], row["source_ids"]) == (day(5), day(6), ["s1"])


def test_an_override_gives_what_nobody_reported(bench: Bench) -> None:
    told = bench.take(correction(action="override", given=9, guard=Guard(value=None)))["c"]
    row = bench.figure()
    assert (row["value"], row["first_day"], row["last_day"], row["source_ids"]) == (9, day(3), day(3), [])
    assert (told["status"], told["original_value"], told["corrected_value"]) == ("applied", None, 9)
    bench.report({3: 1})
    assert bench.take(correction(action="override", given=9, guard=Guard(value=None)))["c"]["status"] == "expired"


def test_a_dropped_report_uncovers_the_one_before(bench: Bench) -> None:
    bench.report({2: 40, 3: 3}, column=SERVERS)
    told = bench.take(correction(target=SERVERS, guard=Guard(value=Decimal(3))))["c"]
    assert bench.value(SERVERS) == 40
    assert told["detail"] == "3 dropped; counts again: 40, of 2026-01-02"
    bench.report({4: 41}, column=SERVERS)
    told = bench.take(correction(target=SERVERS, guard=Guard(value=Decimal(3))))["c"]
    assert (told["status"], told["detail"]) == ("not_applicable", "a later report counts, of 2026-01-04")


def test_different_things_are_corrected_for_the_whole_period_only(bench: Bench) -> None:
    bench.do(
        "insert into facts.online_services values ('2026-01', :day, :unit, 's1', 'p', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,"
        " 0, 0)",
        [{"day": day(3), "unit": U}],
    )
    changes = {"target": "services_with_online_dossier", "feed": "online_services", "guard": Guard(value=Decimal(1))}
    told = bench.take(correction(**changes))["c"]
    assert (told["status"], bench.value("services_with_online_dossier")) == ("not_applicable", 1)
    assert "different things cannot be told apart by days: correct 2026-01-01 to 2026-01-10 whole" in told["detail"]
    year = {"first_day": JANUARY, "last_day": date(2026, 12, 31)}
    guard = Guard(value=Decimal(1), first_day=day(1), last_day=day(3))
    told = bench.take(correction(**{**changes, **year, "guard": guard, "action": "override", "given": 4}))["c"]
    assert (told["status"], bench.value("services_with_online_dossier")) == ("applied", 4)


def test_a_stated_figure_is_corrected_for_its_year_while_it_is_what_was_stated(bench: Bench) -> None:
    stated = correction(
        target="security_drills", feed="declarations", basis="declared", first_day=JANUARY,
        last_day=date(2026, 12, 31), guard=Guard(value=Decimal(5)), action="override", given=2,
    )  # fmt: skip
    assert bench.take(stated)["c"]["status"] == "expired", "nothing was stated"
    bench.state(5, day(4))
    bench.state(7, day(4), "appraised")
    told = bench.take(stated)["c"]
    assert (told["status"], told["held_value"], told["guard_first_day"]) == ("applied", 5, None)
    assert (bench.value("security_drills", "declared"), bench.value("security_drills", "appraised")) == (2, 7)
    bench.state(6, day(9))
    assert bench.take(stated)["c"]["status"] == "expired", "stated anew, otherwise"
    assert bench.take(stated, as_of_date=day(8), period_to=day(8))["c"]["status"] == "applied", "as it was known before"


def test_former_provinces_are_corrected_before_they_merge(bench: Bench) -> None:
    year = {"year": 2025, "period_from": date(2025, 1, 1), "period_to": date(2025, 12, 31), "as_of_date": day(10)}
    merged = {**year, "merge_method": "recomputed", "former": Succession("34", "63", date(2025, 7, 1))}
    for unit, on, seconds in (
        (FORMER, date(2025, 3, 1), 30),
        ("P63-54", date(2025, 3, 1), 5),
        (U, date(2025, 8, 1), 2),
    ):
        bench.do(
            "insert into facts.data_centre (partition_key, day, unit_id, source_id, data_centre_id,"
            " data_centre_up_seconds, data_centre_expected_seconds)"
            " values ('2025', :day, :unit, 's1', 'one', :value, 99)",
            [{"day": on, "unit": unit, "value": seconds}],
        )
    of_2025 = {"first_day": date(2025, 1, 1), "last_day": date(2025, 12, 31)}
    wanted = [
        correction("former", unit_id=FORMER, action="override", given=300, **of_2025),
        correction("own", action="scale", given=10, guard=Guard(value=Decimal(2)), **of_2025),
        correction("other-year"),
    ]
    told = bench.take(*wanted, **merged)
    assert {name: row["status"] for name, row in told.items()} == {"former": "applied", "own": "applied"}
    found = bench.connection.execute(
        text("select part_unit_id, value from score.metric_part where metric = :m"), {"m": UP}
    )
    assert dict(found.tuples().all()) == {FORMER: 300, "P63-54": 5, U: 20}
    score(bench.connection, replace(bench.run, **{**year, "merge_method": "recomputed"}), bench.settings)
    assert bench.value() == 325
    (mart,) = bench.connection.execute(
        text("select original_value, correction_id, correction_status from marts.metric_value where metric = :m"
             " and unit_id = :u"), {"m": UP, "u": U},
    )  # fmt: skip
    assert tuple(mart) == (None, "own, former", "applied")
    parts = bench.connection.execute(
        text("select part_unit_id, original_value from marts.metric_part where metric = :m"), {"m": UP}
    )
    assert dict(parts.tuples().all()) == {FORMER: 30, "P63-54": None, U: 2}


def test_marts_keep_the_original_beside_the_corrected_value(bench: Bench) -> None:
    bench.report({3: 30, 5: 20})
    bench.report({3: 30}, unit="P34-68")
    bench.take(correction("dropped", unit_id="P34-68"), correction("halved", action="scale", given="0.5"))
    score(bench.connection, bench.run, bench.settings)
    (value,) = bench.connection.execute(
        text(
            "select value, original_value, correction_id, correction_status from marts.metric_value where metric = :m"
        ),
        {"m": UP},
    )
    assert tuple(value) == (35, 50, "halved", "applied")
    told = bench.connection.execute(text("select * from marts.correction order by correction_id")).mappings()
    dropped, halved = list(told)
    assert (dropped["unit_name"], dropped["original_value"], dropped["corrected_value"]) == ("Lâm Đồng", 30, None)
    assert (halved["reason"], halved["document"], halved["given_value"]) == ("doubled", "12/CV", Decimal("0.5"))
    behind = bench.connection.execute(
        text(
            "select unit_id, corrections_behind from marts.indicator_score where corrections_behind <> '{}' order by 1"
        )
    )
    assert dict(behind.tuples().all()) == {"P34-66": ["halved"], "P34-68": ["dropped"]}
