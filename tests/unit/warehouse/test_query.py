from __future__ import annotations

import pytest

from dti.settings import Settings
from dti.warehouse.query import QueryError, run_select


def test_columns_and_rows_also_without_the_schema_and_with_percent_signs(warehouse: Settings) -> None:
    columns, rows = run_select(
        "select unit_id, unit_name as \"Tỉnh\", '100%s' as note from unit where code = '66' order by 1;", warehouse
    )
    assert columns == ["unit_id", "Tỉnh", "note"]
    assert list(rows) == [("P34-66", "Đắk Lắk", "100%s"), ("P63-66", "Đắk Lắk", "100%s")]


def test_no_row_still_has_columns(warehouse: Settings) -> None:
    columns, rows = run_select("select feed, status from marts.feed_freshness", warehouse)
    assert (columns, list(rows)) == (["feed", "status"], [])


def test_a_large_answer_comes_whole(warehouse: Settings) -> None:
    _, rows = run_select("select n from generate_series(1, 12345) as n", warehouse)
    assert sum(n for (n,) in rows) == 12345 * 12346 // 2


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("", "empty"),
        (" ; ", "empty"),
        ("select 1; drop table ops.batch", "more than one statement"),
        ("delete from ops.batch", "not a SELECT: delete — only a SELECT can run"),
        ("-- quick look\nexplain select 1", "line 2, at 'explain': not a SELECT: explain"),
        ("set role dti_owner", "not a SELECT: set"),
        ("reset all", "not a SELECT: reset"),
        ("copy (select 1) to program 'id'", "not a SELECT: copy"),
        ("with x as (delete from marts.unit returning 1) select * from x", "only a SELECT that changes nothing"),
        ("select * from ops.batch", "analysts read the schema marts only; views: marts."),
        ("select set_config('role', 'dti_owner', false)", "permission denied"),
        ("select * from marts.feed_freshnes", "did you mean marts.feed_freshness?"),
        ("select *\nfrom unit\nwhere foo = 1", "line 3, at 'foo'"),
        ("select frm unit", 'column "frm" does not exist'),
        ("select 1/0", "division by zero"),
        ("select pg_sleep(5)", "took longer than 0.2 s — narrow it"),
    ],
)
def test_what_cannot_be_answered_says_why_and_what_to_do(warehouse: Settings, question: str, told: str) -> None:
    with pytest.raises(QueryError) as caught:
        run_select(question, warehouse, timeout_seconds=0.2)
    assert told in str(caught.value)
    assert caught.value.remedy


def test_an_error_in_a_late_row_is_told_as_well(warehouse: Settings) -> None:
    _, rows = run_select("select 1 / (9000 - n) from generate_series(1, 10000) as n", warehouse)
    with pytest.raises(QueryError, match="division by zero"):
        list(rows)
