"""Rules that are asked in groups of few columns say what they say when all are asked at once."""

from __future__ import annotations

import pytest

from dti.feeds import feed_names
from dti.gate import engine, judge
from dti.gate.suite import load_suite
from tests.conftest import PROJECT
from tests.unit.gate.test_gate_suites import SPOILED


@pytest.mark.parametrize("feed", ["online_services", "declarations"])
def test_in_groups_or_at_once_the_verdict_is_the_same(feed, settings, land, good, monkeypatch):
    bad = [good(feed, **changes) for changes in SPOILED[feed].values()]
    manifest = land(feed, [*(good(feed) for _ in range(8 * len(bad))), *bad])
    at_once = judge(manifest, settings=settings)
    monkeypatch.setattr(engine, "_WORTH_GROUPING", 0)
    assert judge(manifest, settings=settings) == at_once
    assert {rule.rule for rule in at_once.rules if not rule.passed} >= SPOILED[feed].keys()


@pytest.mark.parametrize("feed", feed_names(PROJECT / "include" / "feeds"))
def test_every_rule_is_in_one_group_and_no_group_is_wide(feed, settings):
    rules = load_suite(feed, settings).of_scope("row")
    groups = engine._grouped(rules)
    assert sorted(rule.rule for group in groups for rule in group) == sorted(rule.rule for rule in rules)
    assert all(len({c for rule in group for c in rule.columns}) <= engine._COLUMNS_OF_A_GROUP for group in groups)
