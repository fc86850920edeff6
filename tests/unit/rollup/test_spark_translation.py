"""Every rollup file in Spark's words, and what is refused because Spark would compute it differently."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot

from dti.errors import ConfigError
from dti.feeds import feed_names, load_contract
from dti.rollup.files import lake_columns, sql_path
from dti.rollup.spark.translation import spark_type, to_spark
from dti.settings import Settings


@pytest.mark.parametrize("feed", feed_names())
def test_every_rollup_file_translates_and_keeps_its_columns(feed: str, settings: Settings) -> None:
    path = sql_path(feed, settings)
    translated = sqlglot.parse_one(to_spark(path, lake_columns(load_contract(feed))), read="spark")
    assert translated.named_selects == sqlglot.parse_one(path.read_text("utf-8"), read="duckdb").named_selects


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("select avg(value) as n from lake", "AVG"),
        ("select cast(value as bigint) as n from lake", "DuckDB rounds and Spark cuts off"),
        ("select max(case when unit_id = 'x' then value end)::int as n from lake", "DuckDB rounds"),
        ("select value / 3 as n from lake", "divide a double"),
        ("select period_year / 2 as n from lake", "divide a double"),
        ("select no_such_function(value) as n from lake", "no_such_function"),
        ("select nothing_of_it as n from lake", "nothing_of_it"),
        ("select value as n from facts", "value"),
        ("select value as n frm lake where", "cannot be translated"),
        ("select 1 as n from lake; select 2 as n from lake", "not one SELECT"),
        ("drop view lake", "not one SELECT"),
    ],
)
def test_what_would_fail_or_differ_in_the_night_is_refused_with_the_file(
    select: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "declarations.sql"
    path.write_text(select, "utf-8")
    with pytest.raises(ConfigError) as caught:
        to_spark(path, lake_columns(load_contract("declarations")))
    assert words in str(caught.value)
    assert caught.value.where == str(path)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "select",
    [
        "select cast(round(value) as bigint) as n from lake",
        "select cast(sum(value) as double) / nullif(count(value), 0) as n from lake",
        "select cast(sum(period_year) as bigint) as n, cast(case when true then 1 end as bigint) as m from lake",
    ],
)
def test_what_both_compute_alike_is_let_pass(select: str, tmp_path: Path) -> None:
    path = tmp_path / "declarations.sql"
    path.write_text(select, "utf-8")
    assert to_spark(path, lake_columns(load_contract("declarations"))).lower().startswith("select")


def test_types_of_the_lake_have_names_in_spark() -> None:
    names = {spark_type(kind) for feed in feed_names() for kind in lake_columns(load_contract(feed)).values()}
    assert names == {"STRING", "BIGINT", "DECIMAL(28, 6)", "BOOLEAN", "DATE", "TIMESTAMP"}
