"""What is told of an indicator, a pillar and a composite is what the marts say, and it adds up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pytest

from dti.errors import DtiError, WarehouseError
from dti.explain.find import QuestionError
from dti.explain.store import reading, rows

Q = Decimal("1e-12")


@pytest.fixture(autouse=True)
def _every_digit() -> Iterator[None]:
    """The warehouse keeps more digits than Python's 28."""
    with localcontext(prec=100):
        yield


def test_the_indicator_is_the_marts_and_the_words_say_so(filled: Any) -> None:
    told = filled.ask("1.1", "Đắk Lắk")
    (mart,) = filled.execute("select * from marts.indicator_score where unit_id = 'P34-66' and indicator_code = '1.1'")
    assert told.calculation.en == "222 of 673 dossiers = 32.9866 %; target 50 % → 15 × 0.65973 = 9.8960 of 15 points"
    assert (told.result.numerator, told.result.denominator) == (mart["numerator"], mart["denominator"])
    assert (told.result.value.quantize(Q), told.result.points.quantize(Q)) == (mart["value"], mart["points"])
    assert (told.result.lost, told.result.coverage) == (told.result.max_points - told.result.points, 1)
    assert (told.run.run_id, told.run.decision) == (mart["run_id"], "1/QĐ-THỬ")
    provenance = told.indicator.provenance
    assert (provenance.name, provenance.points) == ("inferred", "provisional")
    assert "PROVISIONAL" in provenance.words.en


def test_other_bases_stand_beside_the_one_that_counts(filled: Any) -> None:
    upper, lower = filled.ask("1.1").parts
    assert [(v.basis, v.value, v.counts) for v in upper.values] == [("measured", 222, True), ("appraised", 900, False)]
    assert [(v.basis, v.value, v.counts) for v in lower.values] == [("measured", 673, True), ("declared", 1000, False)]
    assert upper.values[1].why.en == "another basis comes before it"
    assert lower.values[0].why.en == "counts: on the same basis as the numerator"
    assert (upper.metric_sql, upper.facts_rows) == ("include/sql/metrics/online_services.sql", 2)
    assert (upper.first_day, upper.last_day, upper.source_ids) == (date(2026, 3, 1), date(2026, 3, 2), ["dvc"])
    assert upper.name.vi == "Số hồ sơ nộp trực tuyến"


def test_a_mixed_basis_says_which_side_comes_from_where(house: Any) -> None:
    house.state("dossiers_online", 3, "appraised")
    house.dossiers(received=12, day=date(2026, 3, 3))
    house.execute("delete from facts.online_services")
    house.state("dossiers_received", 9, "declared")
    house.run()
    told = house.ask("1.1")
    assert told.basis == "appraised"
    assert "The denominator is not known on that basis, so it is self-assessed." in told.basis_reason.en


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("2.1", "= 1: yes → 10 × 1 = 10.0000 of 10 points"),
        ("2.2", "= 1: reaches 1 → 10 × 0.5 = 5.0000 of 10 points"),
        ("2.3", "5 drills; target 4 (beyond the whole, 125 %: counts as 100 %) → 10 × 1 = 10.0000 of 10 points"),
        ("2.4", "6 broadcasts over 3 months = 2; target 4 → 20 × 0.5 = 10.0000 of 20 points"),
        ("1.2", "0 of 673 dossiers = 0 % → 10 × 0 = 0.0000 of 10 points"),
    ],
)
def test_every_rule_as_the_warehouse_scores_it(filled: Any, code: str, said: str) -> None:
    told = filled.ask(code)
    assert told.calculation.en.endswith(said)
    assert told.result.status == "scored"
    assert told.result.is_capped == (code == "2.3")


def test_undefined_is_not_missing(filled: Any) -> None:
    told = filled.ask("1.3")
    assert (told.result.status, told.result.coverage, told.result.points) == ("undefined", 1, 0)
    assert "0 over 0" in told.calculation.en
    assert "if there was nothing to divide by, nothing needs doing" in told.remedy.en
    assert told.providers == []


def test_missing_says_whom_to_ask(filled: Any) -> None:
    filled.source("to-cnscd", "community_teams", agency="Sở của tỉnh")
    filled.source("prometheus-xa", "data_centre")
    told = filled.ask("1.4")
    assert (told.result.status, told.result.coverage, told.result.lost) == ("missing", 0, 5)
    assert "nobody gave" in told.calculation.en
    assert [(p.source_id, p.freshness, p.reported_before) for p in told.providers] == [
        ("to-cnscd", "never", False),
        ("khai-bao", "never", True),
    ]
    for words in ("to-cnscd (Sở của tỉnh)", "metric communes_with_team, communes_total", "period_year 2026"):
        assert words in told.remedy.en
        assert words in told.remedy.vi


def test_a_source_fixed_to_another_province_is_not_asked(filled: Any) -> None:
    for source_id in ("to-cnscd-dak-lak", "to-cnscd-quoc-gia"):  # of include/sources/sandbox; the first is Đắk Lắk's
        filled.source(source_id, "community_teams")
    assert [p.source_id for p in filled.ask("1.4", "Cà Mau").providers if p.feed == "community_teams"] == [
        "to-cnscd-quoc-gia"
    ]
    assert "to-cnscd-dak-lak" in [p.source_id for p in filled.ask("1.4", "Đắk Lắk").providers]


def test_a_pillar_adds_up_and_the_greatest_loss_comes_first(filled: Any) -> None:
    told = filled.ask("ONE")
    (mart,) = filled.execute("select * from marts.pillar_index where unit_id = 'P34-66' and pillar_code = 'ONE'")
    assert [c.code for c in told.components] == ["1.2", "1.3", "1.1", "1.4"]
    assert told.sums.agrees
    assert told.sums.points.quantize(Q) == mart["points"]
    assert told.sums.points + told.sums.lost == told.sums.max_points == 40
    assert told.sums.lost_missing == 5
    assert told.sums.lost_undefined == 10
    assert told.sums.lost_scored + 15 == told.sums.lost
    assert (told.result.index_value, told.result.rank_national) == (mart["index_value"], mart["rank_national"])
    assert told.result.coverage.quantize(Q) == Decimal("0.875")
    assert told.calculation.en == (
        "9.8960 of 40 points = 0.2474; 30.1040 lost: 15.1040 by results, 5.0000 for want of data, "
        "10.0000 undefined; coverage 87.5 %"
    )
    assert (told.result.units, told.result.units_in_region) == (34, 6)


def test_a_pillar_without_points_has_components_but_no_index(filled: Any) -> None:
    told = filled.ask("none")
    assert (told.result.index_value, told.result.rank_national, told.result.coverage) == (None, None, 0)
    assert [(c.code, c.status, c.provider_feed) for c in told.components] == [("3.1", "missing", "declarations")]
    assert "0 of 0 is no index" in told.calculation.en


def test_a_composite_is_its_pillars(filled: Any) -> None:
    told = filled.ask("ALL")
    (mart,) = filled.execute("select * from marts.composite_index where unit_id = 'P34-66'")
    assert told.sums.agrees
    assert told.sums.contribution.quantize(Q) == mart["index_unrounded"]
    assert abs(told.sums.contribution + told.sums.lost - 1) < Decimal("1e-20")
    assert [(s.pillar_code, s.weight) for s in told.pillars] == [("ONE", 10), ("TWO", 30)]
    assert [s.one_more_point for s in told.pillars] == [Decimal(10) / 40 / 40, Decimal(30) / 40 / 50]
    assert (told.result.rank_national, told.next_above) == (1, None)
    assert told.pillars[0].rank_with_one_more == 1


def test_one_more_point_moves_the_rank_it_says(filled: Any) -> None:
    """Units in rows: 35 points of TWO here, 36 there; one more ties, two more overtake."""
    filled.state("portal_has_dx_section", 1, unit="P34-01")
    filled.state("security_drills", 4, unit="P34-01")
    filled.state("dx_broadcasts", "9.6", unit="P34-01")
    filled.state("dossiers_received", 1, unit="P34-01")
    filled.execute("delete from facts.online_services")
    filled.execute("delete from facts.declarations where metric like 'dossiers%'")
    filled.run()
    told = filled.ask("ALL")
    assert (told.result.rank_national, told.next_above.unit_id, told.next_above.rank) == (2, "P34-01", 1)
    by_code = {share.pillar_code: share for share in told.pillars}
    assert by_code["TWO"].index_value == Decimal("0.7")
    assert by_code["TWO"].rank_with_one_more == 1, "a tie is the better rank"
    assert by_code["ONE"].rank_with_one_more == 2
    assert told.next_above.gap == Decimal("0.0150")


@pytest.mark.parametrize(
    ("unit", "code", "run_id", "said"),
    [
        ("Dak Lac", "ALL", None, "nearest: Đắk Lắk"),
        ("P34-67", "ALL", None, "nearest: P34-"),
        ("Đắk Nông", "ALL", None, "since 1 July 2025 it is part of Lâm Đồng (P34-68)"),
        ("P63-66", "ALL", None, "not among the units of this run, whose geography is 34"),
        ("???", "ALL", None, "marts.unit"),
        ("Đắk Lắk", "1.5", None, "nearest: 1."),
        ("Đắk Lắk", "PDTI", None, "codes: ONE, TWO, NONE, ALL, 1.1"),
        ("Đắk Lắk", "ALL", "night-2026-03-30.little.34", "nearest: night-2026-03-31.little.34"),
    ],
)
def test_what_nobody_knows_is_named_with_what_is_near(
    filled: Any, unit: str, code: str, run_id: str | None, said: str
) -> None:
    with pytest.raises(QuestionError, match="—") as fault:
        filled.ask(code, unit, run_id)
    assert said in str(fault.value)


@pytest.mark.parametrize("unit", ["P34-66", "p34-66", "66", "đắk lắk", "Tỉnh Đắk Lắk", "Dak Lak", " Đắk Lắk "])
def test_a_unit_may_be_written_as_agencies_write_it(filled: Any, unit: str) -> None:
    assert filled.ask("all", unit).unit.unit_id == "P34-66"


def test_without_a_run_there_is_nothing_to_explain(house: Any) -> None:
    with pytest.raises(DtiError, match="nothing was computed yet"):
        house.ask("ALL")


def test_the_newest_nightly_run_is_explained_unless_another_is_asked(filled: Any) -> None:
    later = filled.run(date(2026, 4, 2))
    other = filled.run(date(2026, 4, 3), kind="annual")
    assert filled.ask("ALL").run.run_id == later.run_id
    assert filled.ask("ALL", run_id="latest").run.run_id == later.run_id
    assert filled.ask("ALL", run_id=other.run_id).run.run_id == other.run_id


def test_a_unit_of_the_63_is_explained_from_a_run_that_has_it(filled: Any) -> None:
    filled.dossiers("P63-66", date(2025, 3, 1), received=4, online=1)
    filled.run(date(2025, 3, 31), geography="63")
    told = filled.ask("1.1", "P63-66")
    assert (told.run.geography, told.result.numerator, told.unit.region.en) == ("63", 1, "Central Highlands")
    assert told.unit.former_unit_ids == []


@pytest.fixture
def former(filled: Any) -> Any:
    """Figures of 2025 of both provinces that Đắk Lắk is made of, half a year each, and of itself."""
    filled.dossiers("P63-66", date(2025, 3, 1), received=100, online=20)
    filled.dossiers("P63-54", date(2025, 4, 1), received=10, online=5)
    filled.dossiers("P34-66", date(2025, 8, 1), received=90, online=15)
    return filled


def test_a_recomputed_figure_names_what_each_half_gave(former: Any) -> None:
    run = former.run(date(2025, 12, 31), geography="34", merge_method="recomputed")
    told = former.ask("1.1", run_id=run.run_id)
    assert told.calculation.en == "40 of 200 dossiers = 20 %; target 50 % → 15 × 0.4 = 6.0000 of 15 points"
    upper = told.parts[0]
    assert [(f.unit_id, f.value) for f in upper.merged_from] == [("P63-54", 5), ("P63-66", 20), ("P34-66", 15)]
    assert upper.merge_rule == "sum"
    assert upper.facts_rows == 3
    assert (upper.first_day, upper.last_day) == (date(2025, 3, 1), date(2025, 8, 1))


def test_an_averaged_figure_is_the_mean_and_leads_to_the_parts(former: Any) -> None:
    run = former.run(date(2025, 6, 30), geography="34", merge_method="average")
    told = former.ask("1.1", run_id=run.run_id)
    assert told.calculation.en == "Mean: (Phú Yên 15.0000 + Đắk Lắk 6.0000) / 2 = 10.5000 of 15 points"
    assert [(f.unit_id, f.points) for f in told.averaged_from] == [("P63-54", 15), ("P63-66", 6)]
    assert (told.parts, told.evidence, told.result.numerator) == ([], [], None)
    assert any("--run" in note.vi and told.run.parts_run_id in note.vi for note in told.notes)
    deeper = former.ask("1.1", "P63-66", told.run.parts_run_id)
    assert deeper.result.points == 6
    pillar = former.ask("ONE", run_id=run.run_id)
    assert pillar.sums.agrees
    assert former.ask("ALL", run_id=run.run_id).sums.agrees


def test_own_figures_are_not_mixed_with_those_of_former_provinces(former: Any) -> None:
    run = former.run(date(2025, 12, 31), geography="34", merge_method="none")
    told = former.ask("1.1", run_id=run.run_id)
    assert (told.result.denominator, told.parts[0].facts_rows, told.parts[0].merged_from) == (90, 1, [])


def test_made_up_data_is_labelled(filled: Any) -> None:
    told = filled.ask("2.1")
    assert told.run.synthetic
    assert [(e.source_id, e.synthetic) for e in told.evidence] == [("khai-bao", True)]
    assert [e.synthetic for e in filled.ask("1.1").evidence] == [False]


def test_a_source_nobody_registered_cannot_vouch_for_itself(house: Any) -> None:
    house.dossiers(received=1, online=1, source="unknown-1")
    house.run()
    (evidence,) = house.ask("1.1").evidence
    assert (evidence.synthetic, evidence.freshness, evidence.agency) == (True, "unknown", "?")


def test_facts_that_are_gone_are_not_hidden(filled: Any) -> None:
    filled.execute("delete from facts.online_services")
    told = filled.ask("1.1")
    assert told.result.numerator == 222, "the run stays what it was"
    assert "The daily facts behind a value are gone: the data was loaded anew, otherwise." in [n.en for n in told.notes]


def test_explaining_cannot_write(filled: Any) -> None:
    with pytest.raises(WarehouseError, match="read-only"), reading(filled.settings) as connection:
        rows(connection, "delete from score.run returning 1")


KEYS = {
    "1.1": {
        "kind", "unit", "run", "indicator", "result", "rule", "calculation", "basis", "basis_order", "basis_reason",
        "parts", "averaged_from", "corrections", "evidence", "providers", "remedy", "notes",
    },
    "ONE": {
        "kind", "unit", "run", "code", "name", "group_vi", "provenance", "result", "calculation", "components", "sums",
        "notes",
    },
    "ALL": {
        "kind", "unit", "run", "code", "name", "provenance", "result", "calculation", "pillars", "sums", "next_above",
        "notes",
    },
}  # fmt: skip


@pytest.mark.parametrize("code", KEYS)
def test_json_has_the_documented_keys_and_plain_numbers(filled: Any, code: str) -> None:
    told = json.loads(filled.ask(code).model_dump_json())
    assert set(told) == KEYS[code]
    assert all(not isinstance(value, str) or name == "status" for name, value in told["result"].items())
    if code == "1.1":
        assert told["result"]["numerator"] == 222
        assert abs(told["result"]["points"] - 9.895988112927) < 1e-9
        assert set(told["evidence"][0]) == {
            "source_id", "feed", "feed_name", "agency", "owner", "licence", "synthetic", "freshness",
            "freshness_detail", "good_until", "rollup_sql", "facts_rows", "first_day", "last_day", "partitions",
            "records", "changed_since_run", "batches", "held", "samples",
        }  # fmt: skip
