"""Frameworks in the warehouse: stored once, by content, never changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import text

from dti.index.framework import load_framework
from dti.index.model import Framework, Rounding
from dti.index.store import store_framework
from dti.settings import Settings
from dti.warehouse.connect import engine


def store(framework: Framework, settings: Settings) -> None:
    with engine(settings, "loader").begin() as connection:
        store_framework(connection, framework)


def ask(query: str, settings: Settings) -> list[Any]:
    with engine(settings, "loader").connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_whole_method_is_stored_and_only_once(warehouse: Settings) -> None:
    framework = load_framework("922-2022", settings=warehouse)
    for _ in range(2):
        store(framework, warehouse)
    counts = "select count(*), count(distinct framework_hash) from method."
    for table, rows in {
        "framework": 1,
        "pillar": 9,
        "composite": 4,
        "composite_weight": 26,
        "indicator": 98,
        "step": 6,
    }.items():
        assert ask(counts + table, warehouse) == [(rows, 1)], table
    assert ask("select sum(weight) from method.composite_weight where composite_code = 'PDTI'", warehouse) == [(1000,)]
    assert ask("select pillar_code from method.pillar order by position", warehouse)[5] == ("DTTM",)
    assert ask("select indicator_code from method.indicator order by position limit 11", warehouse)[9:] == [
        ("1.10",),
        ("2.1",),
    ]
    steps = "select threshold, share from method.step where indicator_code = '1.1' order by threshold"
    assert [(int(t), float(s)) for t, s in ask(steps, warehouse)] == [(0, 0.0), (1, 0.5), (2, 1.0)]


def test_an_edited_method_is_stored_beside_the_old_one(warehouse: Settings) -> None:
    framework = load_framework("922-2022", settings=warehouse)
    edited = framework.model_copy(update={"rounding": Rounding(decimals=5, mode="half_up")})
    for version in (framework, edited, framework):
        store(version, warehouse)
    stored = dict(ask("select framework_hash, decimals from method.framework", warehouse))
    assert stored == {framework.content_hash: 4, edited.content_hash: 5}
    assert ask("select count(*) from method.indicator", warehouse) == [(2 * 98,)]


def test_several_at_once_store_it_once(warehouse: Settings) -> None:
    framework = load_framework("922-2022", settings=warehouse)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store(framework, warehouse), range(4)))
    assert ask("select count(*) from method.indicator", warehouse) == [(98,)]
