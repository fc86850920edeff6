"""What each output column of a query reads, in every form of SQL that our files use."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot.errors import SqlglotError

from dti.lineage.reads import reads_of

TABLES = {"s": {"t": dict.fromkeys(("a", "b", "k", "ids"), "int"), "u": dict.fromkeys(("k", "c"), "int")}}
LATERAL = "select m.v as o from s.t as x inner join lateral (values ('one', x.a), ('two', x.b)) as m (n, v) on true"
OF_EACH_ROW = "select r.c as o from s.t as x left join lateral (select y.c from s.u as y where y.k = x.k) as r on true"
ARRAY = "select e.id as o from s.t as x cross join lateral unnest(x.ids) as e (id)"
CASES = {
    "a bare column": ("select x.a as o from s.t as x", "t.a identity"),
    "an expression": ("select x.a + x.b as o from s.t as x", "t.a transformation, t.b transformation"),
    "a condition": ("select count(case when b = 2 then 1 end) as o from s.t", "t.b aggregation"),
    "a star through a part": ("with p as (select f.* from s.t as f) select sum(a) as o from p", "t.a aggregation"),
    "using": ("select c as o from s.t inner join s.u using (k)", "u.c identity"),
    "both sides of a union": ("select a as o from s.t union all select c from s.u", "t.a identity, u.c identity"),
    "a list of values, by place": (LATERAL, "t.a identity, t.b identity"),
    "a query of each row": (OF_EACH_ROW, "u.c identity"),
    "an array": (ARRAY, "t.ids transformation"),
    "a scalar subquery": (
        "select (select max(y.c) from s.u as y where y.k = x.k) as o from s.t as x",
        "u.c aggregation",
    ),
    "a window": ("select rank() over (partition by k order by a) as o from s.t", "t.a aggregation, t.k aggregation"),
    "rows that are counted: what chooses them": ("select count(*) as o from s.t where b > 1", "t.b indirect"),
    "whether there is a row: what chooses it": (
        "select exists(select 1 from s.u as y where y.k = 3) as o from s.t as x",
        "u.k indirect",
    ),
    "all rows of a table": ("select count(*) as o from s.t", "t.* indirect"),
    "a table's function": ("select f.z as o from s.t as x inner join lateral s.f(x.a) as f on true", "f.z identity"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_column_reads(case: str) -> None:
    query, wanted = CASES[case]
    [(name, reads)] = reads_of(sqlglot.parse_one(query, dialect="postgres"), TABLES, "postgres")
    found = [f"{table.removeprefix('s.')}.{column} {kind}" for (table, column), kind in sorted(reads.columns.items())]
    assert (name, ", ".join(found)) == ("o", wanted)


@pytest.mark.parametrize("text", ["'measured'", ":run_id", "clock_timestamp()"])
def test_what_reads_no_column_is_told_as_it_is(text: str) -> None:
    [(_, reads)] = reads_of(sqlglot.parse_one(f"select {text} as o from s.t", dialect="postgres"), TABLES, "postgres")
    assert reads.columns == {}
    assert {made.lower() for made in reads.made_of} == {text}


def test_a_column_of_no_table_is_not_left_out_in_silence() -> None:
    query = sqlglot.parse_one("with p as (select a from s.t) select p.gone as o from p", dialect="postgres")
    with pytest.raises(SqlglotError, match="gone"):
        reads_of(query, TABLES, "postgres")
