"""The service index of Decision 766 from given facts, against numbers worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from dti.index.run import compute
from dti.settings import Settings
from dti.warehouse.connect import engine
from dti.warehouse.query import run_select

UNIT = "P34-66"
FACTS = {
    # Two procedures with a fee (one paid on the portal), one without. Sums: received 200, finished 160.
    "1.000001": {
        "dossiers_received": 120, "dossiers_online": 70, "dossiers_with_fee": 80, "dossiers_paid_online": 40,
        "dossiers_fee_zero": 20, "dossiers_payment_online": 45, "dossiers_payment_on_portal": 30,
        "dossiers_online_with_result": 30, "dossiers_synchronised": 110, "dossiers_digitised": 90,
        "dossiers_reusing_data": 30, "dossiers_from_citizens": 80, "dossiers_citizens_population_data": 60,
        "dossiers_finished": 100, "dossiers_punctual": 90, "dossiers_unpunctual": 10, "dossiers_disliked": 4,
        "dossiers_electronic_result": 70, "dossiers_digitised_with_result": 60,
    },
    "1.000002": {
        "dossiers_received": 50, "dossiers_online": 20, "dossiers_with_fee": 10, "dossiers_fee_zero": 0,
        "dossiers_payment_online": 5, "dossiers_online_with_result": 15, "dossiers_synchronised": 40,
        "dossiers_digitised": 30, "dossiers_reusing_data": 10, "dossiers_from_citizens": 20,
        "dossiers_citizens_population_data": 15, "dossiers_finished": 40, "dossiers_punctual": 40,
        "dossiers_disliked": 2, "dossiers_electronic_result": 20, "dossiers_digitised_with_result": 12,
    },
    "1.000003": {
        "dossiers_received": 30, "dossiers_fee_zero": 30, "dossiers_synchronised": 30, "dossiers_digitised": 16,
        "dossiers_finished": 20, "dossiers_punctual": 14, "dossiers_unpunctual": 6, "dossiers_disliked": 0,
        "dossiers_electronic_result": 6, "dossiers_digitised_with_result": 8,
    },
}  # fmt: skip
CATALOGUE = {
    "services_total": 200,
    "services_online": 120,
    "services_full_online": 60,
    "services_eligible_full_online": 80,
}
STATED = {
    "procedures_published": 10, "procedures_published_on_time": 9, "procedures_due_publicised": 20,
    "procedures_publicised_on_time": 15, "procedures_publicised": 200, "procedures_publicised_complete": 200,
    "complaints_total": 40, "complaints_on_time": 30, "complaints_settled_well": 20,
}  # fmt: skip
BY_HAND = {
    # component: points = maximum × share
    "1.1": "3.6",  # 4 × 9/10
    "1.2": "3",  # 4 × 15/20
    "1.3": "4",  # 4 × 200/200
    "1.4": "5.4",  # 6 × 180/200
    "2.1": "18",  # 20 × 144/160
    "3.1": "3",  # 60 % of the 80 % that earn all: 4 × 0.6/0.8
    "3.2": "0.066666666667",  # 4 × 2/120: two procedures had a dossier filed online
    "3.3": "2",  # 45 of 180 is 25 %, of the 50 % that earn all: 4 × 0.5
    "3.5": "3.125",  # one of two is 50 %, of the 80 % that earn all: 5 × 0.625
    "3.6": "1.666666666667",  # 50 of (120 - 20) + 50 = 150: 5 × 1/3
    "4.1": "2.4",  # 4 × 96/160
    "4.2": "3.125",  # 80 of 160 is 50 %: 5 × 0.625
    "4.3": "4.25",  # 136 of 200 is 68 %: 5 × 0.85
    "4.4": "0.8",  # 4 × 40/200
    "4.5": "3",  # 4 × 75/100
    "5.2": "4.5",  # 6 × 30/40
    "5.3": "3",  # 6 × 20/40
    "5.4": "5.75",  # 100 % - 16/160 - 6/160 = 86.25 %, of the 90 % that earn all: 6 × 0.8625/0.9
}
GROUPS = {
    "CKMB": "16",
    "TDGQ": "18",
    "DVCTT": "5.066666666667",
    "TTTT": "4.791666666667",
    "MDSH": "13.575",
    "MDHL": "13.25",
}
SCORE = Decimal("0.7068")  # 70.683333 of 100


@pytest.fixture
def computed(warehouse: Settings) -> Settings:
    """The run of 31 March 2026 over the facts above."""
    with engine(warehouse, "loader").begin() as connection:

        def add(table: str, row: dict[str, object]) -> None:
            names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"insert into facts.{table} ({names}) values ({values})"), row)

        where = {"partition_key": "2026-02", "day": date(2026, 2, 10), "unit_id": UNIT, "source_id": "s1"}
        every = dict.fromkeys(
            connection.execute(
                text(
                    "select column_name from information_schema.columns where table_schema = 'facts'"
                    " and table_name = 'online_services' and data_type = 'bigint'"
                )
            ).scalars(),
            0,
        )
        for procedure, counts in FACTS.items():
            add("online_services", where | {"procedure_code": procedure} | every | counts)
        add("service_catalogue", where | CATALOGUE)
        for metric, value in STATED.items():
            add("declarations", where | {"period_year": 2026, "metric": metric, "basis": "declared", "value": value})
    compute(date(2026, 3, 31), "766-2022", settings=warehouse)
    return warehouse


def ask(settings: Settings, question: str) -> list[tuple[object, ...]]:
    return list(run_select(question, settings)[1])


def test_every_component_earns_what_it_earns_by_hand(computed: Settings) -> None:
    rows = ask(
        computed,
        f"select indicator_code, points, status from indicator_score where unit_id = '{UNIT}' order by indicator_no",
    )
    scored = {str(code): Decimal(str(points)) for code, points, status in rows if status == "scored"}
    assert scored == {code: Decimal(points) for code, points in BY_HAND.items()}
    assert [code for code, _, status in rows if status != "scored"] == ["2.2", "5.1"]


def test_the_groups_add_up_to_a_score_of_a_hundred(computed: Settings) -> None:
    rows = ask(computed, f"select pillar_code, points, coverage from pillar_index where unit_id = '{UNIT}'")
    assert {str(code): (Decimal(str(points)), coverage) for code, points, coverage in rows} == {
        code: (Decimal(points), 1) for code, points in GROUPS.items()
    }
    ((composite, value, rank),) = ask(
        computed, f"select composite_code, index_value, rank_national from composite_index where unit_id = '{UNIT}'"
    )
    assert (composite, value, rank) == ("CLPV", SCORE, 1)


def test_a_province_without_facts_has_no_points_and_no_coverage(computed: Settings) -> None:
    assert ask(
        computed, "select distinct index_value, coverage, rank_national from composite_index where unit_id = 'P34-01'"
    ) == [(Decimal("0"), 0, 2)]
