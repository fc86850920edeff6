"""A faulty rule over the warehouse is found before a night depends on it, and the fault is named with its remedy."""

from __future__ import annotations

import shutil

import pytest
import yaml

from dti.errors import ConfigError
from dti.feeds import feed_names
from dti.quality import lint_rules
from dti.quality.rules import load_rules
from dti.settings import Settings

ROWS = "select feed, source_id, 1 as checked_count, 0 as failed_count, 'x' as detail from ops.source"
SERIES = "select feed, source_id, '' as unit_id, 0 as place, 1 as value, 1 as records from ops.source"
GOOD = {"rule": "a_rule", "severity": "info", "query": "asked", "reason": "Bad", "reason_vi": "Sai"}


@pytest.fixture
def lint(settings, tmp_path):
    """``lint(rules, queries, lake)`` of a project that has only these, and our judges."""

    def run(rules, queries=None, tables=None):
        project = tmp_path / "project"
        where = project / "expectations" / "warehouse"
        for name in ("queries", "lake"):
            (where / name).mkdir(parents=True, exist_ok=True)
        shutil.copytree(settings.expectations_dir / "warehouse" / "judges", where / "judges", dirs_exist_ok=True)
        (project / "include" / "feeds").mkdir(parents=True, exist_ok=True)
        for feed in feed_names(settings.include_dir / "feeds"):
            shutil.copy(settings.include_dir / "feeds" / f"{feed}.yml", project / "include" / "feeds")
        (where / "topic.yml").write_text(yaml.safe_dump({"rules": rules}), "utf-8")
        for name, text in (queries or {"asked": ROWS}).items():
            (where / "queries" / f"{name}.sql").write_text(text, "utf-8")
        for name, (head, text) in (tables or {}).items():
            (where / "lake" / "tables.yml").write_text(yaml.safe_dump({name: head}), "utf-8")
            (where / "lake" / f"{name}.sql").write_text(text, "utf-8")
        faults = lint_rules(Settings(project=project, home=tmp_path))
        return [fault for fault in faults if "judges/history.sql: no rule uses it" not in fault]

    return run


def test_our_rules_are_clean(settings):
    assert lint_rules(settings) == []


def test_a_good_rule_has_no_fault(lint):
    assert lint([GOOD]) == []
    history = {**GOOD, "judge": "history", "parameters": {"scale": "count", "minimum": 3}}
    assert lint([history], {"asked": SERIES}) == []


@pytest.mark.parametrize(
    ("rules", "queries", "told"),
    [
        ([GOOD | {"severity": "fatal"}], None, "severity"),
        ([GOOD | {"colour": "red"}], None, "colour"),
        ([GOOD | {"rule": "A rule"}], None, "rule"),
        ([{k: v for k, v in GOOD.items() if k != "reason_vi"}], None, "reason_vi"),
        (["a_rule"], None, "mend the file"),
        ([GOOD, GOOD | {"reason": "Worse", "reason_vi": "Tệ"}], None, "a_rule: 2 rules have this id"),
        ([GOOD, GOOD | {"rule": "other"}], None, "rules have this reason"),
        ([GOOD | {"query": "nowhere"}], None, "no such file"),
        ([GOOD], {"asked": ROWS, "idle": ROWS}, "idle.sql: no rule uses it"),
        ([GOOD], {"asked": "select from where"}, "not SQL"),
        ([GOOD], {"asked": f"{ROWS}; {ROWS}"}, "not one SELECT"),
        ([GOOD], {"asked": "delete from ops.batch"}, "not one SELECT"),
        ([GOOD], {"asked": f"with a as (delete from ops.batch returning 1) {ROWS}"}, "not one SELECT"),
        ([GOOD], {"asked": "select 1 as checked_count, 0 as failed"}, "gives failed, which nobody reads"),
        ([GOOD], {"asked": "select 1 as checked_count"}, "does not give failed_count"),
        ([GOOD], {"asked": f"{ROWS} where feed = :feed"}, "needs feed"),
        ([GOOD | {"parameters": {"days": 3}}], None, "nobody reads days"),
        ([GOOD | {"parameters": {"night": "2026-01-01"}}], None, "is given to every query"),
        ([GOOD | {"judge": "history"}], None, "gives checked_count, detail, failed_count, which nobody reads"),
        ([GOOD | {"judge": "history", "parameters": {"scale": "log"}}], {"asked": SERIES}, "no scale log"),
        ([GOOD | {"judge": "guess"}], None, "judge"),
        ([GOOD | {"lake": ["samples"]}], None, "is not in lake/tables.yml"),
    ],
)
def test_each_fault_is_named(lint, rules, queries, told):
    faults = lint(rules, queries)
    assert len(faults) >= 1
    assert any(told in fault for fault in faults), faults
    assert all("topic.yml" in fault or "warehouse" in fault for fault in faults)


def test_a_table_of_the_lake_is_checked_too(lint):
    rule = GOOD | {"lake": ["samples"]}
    good = "select unit_id from lake where sampled_on <= night()"
    assert lint([rule], tables={"samples": ({"feed": "data_centre", "months": 2}, good)}) == []
    assert "no feed weather" in lint([rule], tables={"samples": ({"feed": "weather", "months": 2}, good)})[0]
    assert "not SQL" in lint([rule], tables={"samples": ({"feed": "data_centre", "months": 2}, "select (")})[0]
    assert "months" in lint([rule], tables={"samples": ({"feed": "data_centre", "months": 0}, good)})[0]


def test_the_command_lints_all_suites(settings, capsys):
    from typer.testing import CliRunner

    from dti.cli.app import app

    found = CliRunner().invoke(app, ["suite", "lint"])
    assert (found.exit_code, found.output.strip()) == (0, "✓ nothing to mend"), found.output


def test_every_topic_has_rules_and_no_id_stands_twice(settings):
    topics = {rule.topic for rule in load_rules(settings)}
    assert topics == {
        "completeness", "freshness", "references", "volume", "distribution", "reconciliation", "marts",
    }  # fmt: skip


def test_what_is_no_yaml_is_named(settings, tmp_path):
    from dti.quality.rules import read_topic

    path = tmp_path / "broken.yml"
    path.write_text("rules: [", "utf-8")
    with pytest.raises(ConfigError, match=r"broken\.yml: not YAML"):
        read_topic(path)
    path.write_text("- rules", "utf-8")
    with pytest.raises(ConfigError, match="not a list of rules"):
        read_topic(path)
