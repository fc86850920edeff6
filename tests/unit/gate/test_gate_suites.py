"""Each suite: a good row passes, and for each rule there is a bad row that this rule alone catches."""

from __future__ import annotations

from pathlib import Path

import pytest

from dti.feeds import feed_names
from dti.gate import judge, lint_suite
from dti.gate.suite import load_suite

REPOSITORY = Path(__file__).parents[3]

OPEN: dict[str, str | None] = {"status_code": "4", "finished_at": None, "has_electronic_result": None}
LATE = "2025-08-12T01:00:00+07:00"  # an hour before the horizon, which is a day after the batch was read
LATER = "2025-08-15T00:00:00+07:00"
# feed → rule → how to spoil a good row so that this rule alone is broken
SPOILED: dict[str, dict[str, dict[str, str | None]]] = {
    "online_services": {
        "status_known": {"status_code": "11"},
        "channel_known": {"channel_code": "4"},
        "payment_known": {"online_payment_code": "3"},
        "applicant_type_known": {"applicant_type_code": "0"},
        "procedure_code_format": {"procedure_code": "1.00656"},
        "fee_not_negative": {"fee_vnd": "-0.000001", "online_payment_code": "0"},
        "supplements_not_negative": {"supplement_request_count": "-1"},
        "opened_in_range": {"opened_at": "1999-12-31T23:59:59+07:00"},
        "updated_in_range": {"updated_at": "2099-01-01T00:00:00+07:00"},
        "received_in_range": {**OPEN, "received_at": "2025-08-12T10:00:00+07:00", "due_at": LATER},
        "finished_in_range": {"finished_at": "2025-08-12T10:00:00+07:00", "updated_at": LATE},
        "due_in_range": {"due_at": "2035-08-20T00:00:00+07:00"},
        "updated_after_opened": {**OPEN, "updated_at": "2025-07-31T23:59:59+07:00"},
        "received_after_opened": {"opened_at": "2025-08-01T09:00:01+07:00"},
        "due_after_received": {"due_at": "2025-07-31T23:59:59+07:00"},
        "finished_after_received": {"finished_at": "2025-08-01T08:59:59+07:00"},
        "finished_has_time": {"finished_at": None},
        "finished_was_received": {"received_at": None},
        "due_time_known": {"due_at": None},
        "updated_after_finished": {"updated_at": "2025-08-03T10:00:00+07:00"},
        "open_has_no_end": {"status_code": "4", "has_electronic_result": None},
        "processed_was_received": {**OPEN, "received_at": None},
        "open_has_no_result": {"status_code": "6", "finished_at": None},
        "open_has_no_rating": {**OPEN, "is_satisfied": "true"},
        "paid_has_fee": {"fee_vnd": "0"},
        "fee_plausible": {"fee_vnd": "100000000000.01"},
        "supplements_plausible": {"supplement_request_count": "51"},
    },
    "service_catalogue": {
        "service_level_known": {"service_level_code": "1"},
        "procedure_code_format": {"procedure_code": "2.000815.000.00.00.H55.02.1.1"},
        "time_limit_not_negative": {"time_limit_days": "-1"},
        "time_limit_plausible": {"time_limit_days": "1001"},
        "full_online_is_eligible": {"is_eligible_full_online": "false"},
    },
    "data_centre": {
        "measure_known": {"measure": "temperature"},
        "step_in_range": {"step_seconds": "0"},
        "share_in_range": {"value": "1.000001"},
        "utilisation_in_range": {"measure": "memory_utilisation_pct", "value": "100.5"},
        "servers_not_negative": {"measure": "servers_with_antimalware", "value": "-1"},
        "servers_plausible": {"measure": "servers_total", "value": "100001"},
        "sampled_in_range": {"sampled_at": "2052-08-10T08:05:00+07:00", "unit": "P34-66"},
    },
    "staffing": {
        # A negative head count also falls below its parts, so these parts are negative as well or absent.
        "digital_transformation_not_negative": {"staff_digital_transformation": "-1"},
        "information_technology_not_negative": {"staff_information_technology": "-1"},
        "information_security_not_negative": {"staff_information_security": "-1"},
        "trained_dx_not_negative": {"staff_trained_dx": "-1"},
        "trained_digital_skills_not_negative": {"staff_trained_digital_skills": "-1"},
        "trained_data_not_negative": {"staff_trained_data": "-1"},
        "digital_transformation_within_total": {"staff_digital_transformation": "41"},
        "information_technology_within_total": {"staff_information_technology": "41"},
        "information_security_within_total": {"staff_information_security": "41"},
        "trained_dx_within_total": {"staff_trained_dx": "41"},
        "trained_digital_skills_within_total": {"staff_trained_digital_skills": "41"},
        "trained_data_within_total": {"staff_trained_data": "41"},
        "reported_in_range": {"reported_on": "2025-08-13"},
        "total_plausible": {"staff_total": "100001"},
        "agency_has_staff": {
            "staff_total": "0",
            **dict.fromkeys(
                [
                    *(f"staff_{p}" for p in ("digital_transformation", "information_technology")),
                    *(f"staff_{p}" for p in ("information_security", "trained_dx", "trained_digital_skills")),
                ],
                "0",
            ),
        },
    },
    "community_teams": {
        "villages_with_team_not_negative": {"villages_with_team": "-1"},
        "trained_members_not_negative": {"team_members_trained": "-1"},
        "members_within_population": {"population": "59"},
        "commune_code_format": {"commune_code": "H15.01"},
        "commune_has_villages": {"villages_total": "0", "villages_with_team": "0"},
        "teams_have_members": {"team_members_total": "0", "team_members_trained": "0"},
        "population_plausible": {"population": "1000001"},
        "villages_with_team_within_total": {"villages_with_team": "13"},
        "trained_members_within_total": {"team_members_trained": "61"},
        "reported_in_range": {"reported_on": "1999-12-31"},
        "villages_teams_in_commune": {"has_team": "false"},
    },
    "platform_inventory": {
        "item_kind_known": {"item_kind": "printer"},
        "hosting_known": {"hosting": "cellar"},
        "security_level_in_range": {"security_level": "6"},
        "quantity_not_negative": {"quantity_total": "-1"},
        "protected_not_negative": {"quantity_protected": "-1"},
        "protected_within_total": {"quantity_total": "4", "quantity_protected": "5"},
        "workstations_counted": {"item_kind": "workstation_group"},
        "approved_has_level": {"security_level": None},
        "assessed_before_snapshot": {"assessed_on": "2025-08-11"},
        "assessed_in_range": {"assessed_on": "1999-12-31"},
        "protected_has_level": {"is_fully_protected": "true", "security_level": None, "is_level_approved": None},
        "connection_known": {"item_kind": "government_cloud"},
        "quantity_plausible": {"quantity_total": "1000001"},
    },
    "declarations": {
        "metric_known": {"metric": "happiness_total"},
        "basis_known": {"basis": "guessed"},
        "yes_no_is_answered": {"metric": "government_cloud_connected", "value": "0.5"},
        "value_not_negative": {"value": "-0.5"},
        "period_year_in_range": {"period_year": "2026"},
        "stated_in_range": {"stated_on": "2025-08-13"},
        "evidence_named": {"evidence_ref": None},
    },
}
# Rules whose bad row breaks another rule by necessity: a negative whole is smaller than any part that is in order.
# A snapshot of another day breaks the snapshot. Each is spoiled together with what it drags along.
DRAGGING: dict[str, dict[str, tuple[dict[str, str | None], set[str]]]] = {
    "staffing": {
        "total_not_negative": (
            {"staff_total": "-1"},
            {
                *(f"{p}_within_total" for p in ("digital_transformation", "information_technology")),
                *(f"{p}_within_total" for p in ("information_security", "trained_dx", "trained_digital_skills")),
                "trained_data_within_total",
            },
        )
    },
    "community_teams": {
        "villages_not_negative": ({"villages_total": "-1"}, {"villages_with_team_within_total"}),
        "members_not_negative": ({"team_members_total": "-1"}, {"trained_members_within_total"}),
        "population_positive": ({"population": "0"}, {"members_within_population"}),
    },
}
# Each has a test of its own below.
BATCH_RULES = {"key_unique", "rows_present", "one_snapshot", "snapshot_in_range", "some_in_force", "one_reporting_day"}


@pytest.mark.parametrize("feed", feed_names(REPOSITORY / "include" / "feeds"))
def test_every_rule_catches_its_own_bad_row(feed, settings, land, good, lines):
    suite = load_suite(feed, settings)
    rules = {e.rule: e for e in suite.expectations}
    assert set(SPOILED[feed]) | set(DRAGGING.get(feed, {})) | BATCH_RULES >= set(rules), "a rule without a bad row"

    bad = {rule: good(feed, **changes) for rule, changes in SPOILED[feed].items()}
    dragging = {rule: good(feed, **changes) for rule, (changes, _) in DRAGGING.get(feed, {}).items()}
    rows = [*(good(feed) for _ in range(6 * len(rules))), *bad.values(), *dragging.values()]
    verdict = judge(land(feed, rows, parts=2), settings=settings)

    assert verdict.status == "passed", verdict.stopped_reason
    found = {line["record"]["source_row"]: line for line in lines(verdict)}
    expected = {row["source_row"]: rule for rule, row in bad.items() if rules[rule].severity == "warning"}
    assert {at: found[at]["rule"] for at in expected} == expected
    for at, rule in expected.items():
        assert found[at]["reason"].startswith(f"{rule}: {rules[rule].meta.reason}: ")
        assert "; " not in found[at]["reason"], "only one rule may catch this row"
        assert found[at]["reason"].endswith(f"[{at}]")
    assert len(found) == len(expected) + len(dragging)

    dragged = {rule: also for rule, (_, also) in DRAGGING.get(feed, {}).items()}
    for rule, row in dragging.items():
        told = {part.split(": ")[0] for part in found[row["source_row"]]["reason"].split("; ")}
        assert told == {rule} | dragged[rule]
    failed = {r.rule: r.failed_count for r in verdict.rules if not r.passed}
    assert failed == {
        rule: (rule in bad or rule in dragging) + sum(rule in also for also in dragged.values())
        for rule in {*bad, *dragging}
    }


@pytest.mark.parametrize("feed", feed_names(REPOSITORY / "include" / "feeds"))
def test_a_key_may_stand_once_in_a_batch(feed, settings, land, good, lines):
    twin = good(feed)
    rows = [twin, *(good(feed) for _ in range(20)), twin | {"source_row": "page 9, record 9"}]
    verdict = judge(land(feed, rows, parts=3), settings=settings)

    assert verdict.status == "passed", verdict.stopped_reason
    assert [(line["rule"], line["source_row"]) for line in lines(verdict)] == [
        ("key_unique", twin["source_row"]),
        ("key_unique", "page 9, record 9"),
    ]
    assert (verdict.rows_landed, verdict.rows_passed, verdict.rows_quarantined) == (22, 20, 2)


@pytest.mark.parametrize(
    ("feed", "status"),
    [
        ("online_services", "passed"),
        ("data_centre", "passed"),
        ("service_catalogue", "stopped"),
        ("platform_inventory", "stopped"),
        ("staffing", "stopped"),
        ("community_teams", "stopped"),
        ("declarations", "stopped"),
    ],
)
def test_no_rows_are_a_fault_of_a_list_but_not_of_a_change_feed(feed, status, settings, land, lines):
    verdict = judge(land(feed, []), settings=settings)
    assert verdict.status == status
    assert (verdict.rows_landed, verdict.rows_passed, verdict.rows_quarantined) == (0, 0, 0)
    if status == "stopped":
        assert [(line["row_number"], line["rule"]) for line in lines(verdict)] == [(-1, "rows_present")]


@pytest.mark.parametrize("feed", ["service_catalogue", "platform_inventory"])
def test_a_snapshot_has_one_day_and_that_day_has_come(feed, settings, land, good, lines):
    mixed = judge(land(feed, [good(feed), good(feed, snapshot_on="2025-08-09")]), settings=settings)
    assert mixed.status == "stopped"
    assert "one_snapshot" in mixed.stopped_reason
    assert "observed 2" in mixed.stopped_reason
    future = judge(land(feed, [good(feed, snapshot_on="2025-09-09")]), settings=settings)
    assert "snapshot_in_range 1" in future.stopped_reason


def test_a_catalogue_of_which_nothing_is_in_force_is_none(settings, land, good):
    gone = [good("service_catalogue", is_active="false") for _ in range(3)]
    assert "some_in_force" in judge(land("service_catalogue", gone), settings=settings).stopped_reason
    assert judge(land("service_catalogue", [*gone, good("service_catalogue")]), settings=settings).rows_passed == 4


@pytest.mark.parametrize("feed", ["staffing", "community_teams"])
def test_a_report_of_several_days_is_noted(feed, settings, land, good):
    verdict = judge(land(feed, [good(feed), good(feed, reported_on="2025-05-31")]), settings=settings)
    assert (verdict.status, verdict.rows_passed) == ("passed", 2)
    assert [r.rule for r in verdict.rules if not r.passed] == ["one_reporting_day"]


def test_nulls_are_not_judged_by_rules_over_two_columns(settings, land, good, passed):
    open_dossier = dict.fromkeys(["received_at", "due_at", "finished_at", "fee_vnd", "channel_code"])
    rows = [
        good("online_services", status_code="1", **open_dossier),
        good("online_services", status_code="4", finished_at=None),
        good("online_services", status_code="4", due_at=None, finished_at=None),
    ]
    verdict = judge(land("online_services", rows), settings=settings)
    assert verdict.rows_quarantined == 0
    table = passed(verdict)
    assert table["channel_code"].to_pylist() == [None, 2, 2]
    assert table["finished_at"].null_count == 3


def test_due_on_the_day_of_receipt_is_in_order(settings, land, good):
    row = good("online_services", due_at="2025-08-01T00:00:00+07:00", finished_at="2025-08-01T16:00:00+07:00")
    assert judge(land("online_services", [row]), settings=settings).rows_passed == 1


@pytest.mark.parametrize("path", sorted((REPOSITORY / "expectations").glob("*.yml")), ids=lambda p: p.stem)
def test_our_suites_are_clean(path, settings):
    assert lint_suite(path) == []
    texts = [text for e in load_suite(path.stem, settings).expectations for text in (e.meta.reason, e.meta.reason_vi)]
    assert len(set(texts)) == len(texts), "two rules must not give the same reason"


def test_every_feed_has_a_suite():
    assert sorted(p.stem for p in (REPOSITORY / "expectations").glob("*.yml")) == feed_names(
        REPOSITORY / "include" / "feeds"
    )
