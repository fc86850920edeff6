"""A faulty suite is found before a night depends on it, and the fault is named with its remedy."""

from __future__ import annotations

import pytest
import yaml

from dti.gate import lint_suite

GOOD = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "fee_vnd", "min_value": 0},
    "severity": "warning",
    "meta": {"rule": "fee", "reason": "The fee is negative", "reason_vi": "Phí là số âm"},
}
META = {"reason": "Bad", "reason_vi": "Sai"}


@pytest.fixture
def lint(tmp_path, settings):
    def run(*rules, feed="online_services", file="online_services"):
        path = tmp_path / f"{file}.yml"
        path.write_text(yaml.safe_dump({"feed": feed, "expectations": list(rules)}, allow_unicode=True), "utf-8")
        return lint_suite(path)

    return run


def rule(expectation_type, kwargs, severity="warning", **meta):
    return {"type": expectation_type, "kwargs": kwargs, "severity": severity, "meta": {"rule": "r"} | META | meta}


def test_a_good_suite_has_no_fault(lint):
    assert lint(GOOD) == []


BETWEEN, IN_SET = "expect_column_values_to_be_between", "expect_column_values_to_be_in_set"
NOT_NULL, UNIQUE = "expect_column_values_to_not_be_null", "expect_compound_columns_to_be_unique"
ROW_COUNT, PAIR = "expect_table_row_count_to_be_between", "expect_column_pair_values_a_to_be_greater_than_b"
KEY = {"column_list": ["unit_id", "dossier_id"]}
OTHER_COLUMN = {"type": "nullity", "column": {"name": "x"}, "is_null": False}
FAULTY = [
    (rule("expect_column_values_to_be_nice", {"column": "fee_vnd"}), "no expectation type"),
    (rule(BETWEEN, {"column": "fee_vnd"}), "Great Expectations refuses it"),
    (rule(IN_SET, {"column": "fee_vnd", "value_sets": [1]}), "refuses it"),
    (rule(IN_SET, {"column": "fees", "value_set": [1]}), "no column of this feed: fees"),
    (rule(NOT_NULL, {"column": "fee_vnd", "row_condition": OTHER_COLUMN}), "no column of this feed: x"),
    (rule(BETWEEN, {"column": "opened_at", "max_value": {"$PARAMETER": "today"}}), "no parameter: today"),
    (rule(ROW_COUNT, {"min_value": 1}, "critical"), "set meta.scope: batch"),
    (rule(ROW_COUNT, {"min_value": 1}, scope="batch"), "use critical or info"),
    (rule(UNIQUE, KEY | {"ignore_row_if": "any_value_is_missing"}), "set meta.scope: batch"),
    (rule(UNIQUE, KEY | {"ignore_row_if": "never"}, scope="batch"), "a key with a part missing is no key"),
    (rule(PAIR, {"column_A": "finished_at", "column_B": "received_at"}), "set ignore_row_if"),
    (rule(NOT_NULL, {"column": "fee_vnd", "row_condition": "fee_vnd > 1", "condition_parser": "pandas"}), "deprecated"),
    (rule(NOT_NULL, {"column": "fee_vnd", "mostly": 0.9}), "drop mostly"),
    # What GX notices only when it meets a value: a bare day against a column of days, a number against text.
    (rule(BETWEEN, {"column": "opened_on", "min_value": "2000-01-01"}), "could not compute"),
    (rule(BETWEEN, {"column": "dossier_id", "min_value": 1}), "could not compute"),
    (rule(IN_SET, {"column": "dossier_id"}, value_set_from="reference/no.csv:x"), "no such file"),
    (rule(IN_SET, {"column": "dossier_id", "value_set": {"$COLUMN": "reference/metrics.csv"}}), "not the column"),
    (
        rule(IN_SET, {"column": "dossier_id", "value_set": {"$COLUMN": "reference/metrics.csv:metric?kind=a"}}),
        "has no column kind",
    ),
    (
        rule(IN_SET, {"column": "dossier_id", "value_set": {"$COLUMN": "reference/metrics.csv:metric?unit=none"}}),
        "nothing stands in",
    ),
    (rule(IN_SET, {"column": "dossier_id"}, value_set_from="reference/metrics.csv:x"), "has no column x"),
    (GOOD | {"severity": "fatal"}, "severity"),
    (GOOD | {"meta": {"rule": "fee", "reason": "The fee is negative"}}, "reason_vi"),
    (GOOD | {"meta": GOOD["meta"] | {"rule": "type:fee"}}, "meta.rule"),
    (GOOD | {"mata": {}}, "mata"),
]


@pytest.mark.parametrize(("bad", "told"), FAULTY)
def test_a_fault_is_named(lint, bad, told):
    faults = lint(GOOD, bad)
    assert len(faults) == 1
    assert told in faults[0]
    assert "online_services.yml" in faults[0]
    assert " — " in faults[0], "a remedy is given"


def test_two_rules_with_one_id_are_told(lint):
    assert "fee: two rules have this id" in lint(GOOD, GOOD)[0]


def test_the_file_is_named_after_its_feed(lint):
    assert "declares feed 'staffing'" in lint(GOOD, feed="staffing")[0]
    assert "no such feed" in lint(GOOD, feed="weather", file="weather")[0]


def test_what_is_no_suite_is_told(tmp_path, settings):
    broken = tmp_path / "staffing.yml"
    broken.write_text("feed: [", "utf-8")
    assert "not YAML" in lint_suite(broken)[0]
    assert "no such suite" in lint_suite(tmp_path / "none.yml")[0]
