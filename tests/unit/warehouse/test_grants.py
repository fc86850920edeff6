"""Who may do what, read from PostgreSQL's own catalogue: a relation, function or role that nobody classified fails."""

from __future__ import annotations

import pytest

from dti.settings import Settings
from dti.warehouse import connect

READ, ADD, WRITE = frozenset({"SELECT"}), frozenset({"SELECT", "INSERT"}), {"SELECT", "INSERT", "UPDATE", "DELETE"}
NOTHING: frozenset[str] = frozenset()
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
OTHERS = ("dti_analyst", "dti_steward", "airflow", "public")
"""Who has no business in any schema but marts."""

LOADER = {
    "ref": WRITE,
    "ops": WRITE,
    "method": WRITE,
    "annual": WRITE,
    "facts": WRITE | {"MAINTAIN"},
    "score": WRITE | {"MAINTAIN"},
    "published": ADD,
    "marts": READ,
    "guard": NOTHING,
    "public": NOTHING,
}
"""Schema → what the loader may do with each table, view and sequence in it. The others may do nothing outside marts."""

FOR_ANALYSTS = {
    "annual_check", "annual_request", "composite_index", "correction", "feed_freshness", "indicator_score",
    "latest_composite_index", "latest_indicator_score", "latest_pillar_index", "latest_rank_change",
    "latest_rank_contribution", "latest_run", "merge_comparison", "metric_part", "metric_value", "night_check",
    "pillar_index", "published_composite_index", "published_index", "published_indicator_score", "published_mean",
    "published_merged", "published_metric_value", "published_pillar_index", "published_version",
    "published_vs_computed", "quality_result", "quarantine", "restatement", "run", "unit",
}  # fmt: skip
"""Marts with counts, scores and reasons. Before a mart is named here: it shows no record of an agency."""
FOR_STEWARDS = {"quarantine_record"}
"""Marts that show records."""

RELATIONS = """
    select n.nspname, c.relname, c.relkind, c.oid::bigint
    from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
    order by 1, 2
"""
FUNCTIONS = """
    select n.nspname || '.' || p.proname, p.prosecdef, p.proconfig, p.oid::bigint, p.prorettype::regtype::text
    from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace
    where n.nspname not in ('pg_catalog', 'information_schema')
    order by 1
"""
ROLES = """
    select rolname, rolcanlogin, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
    from pg_roles where rolname !~ '^pg_'
"""


@pytest.fixture
def ask(warehouse: Settings):
    """Put a question to the catalogue, in which every login may read."""
    with connect.connect(warehouse, "owner") as connection:
        yield lambda question, *values: connection.execute(question, values or None).fetchall()


def held(ask, role: str, relation: int, kind: str) -> set[str]:
    """What a role may do with a relation, also by its groups, PUBLIC or a grant on one column."""
    wanted = ("USAGE", "SELECT", "UPDATE") if kind == "S" else PRIVILEGES
    what = "sequence" if kind == "S" else "table"
    found = {p for p in wanted if ask(f"select has_{what}_privilege(%s, %s::oid, %s)", role, relation, p) == [(True,)]}
    if kind != "S":
        by_column = [p for p in ("SELECT", "INSERT", "UPDATE", "REFERENCES") if p not in found]
        found |= {
            f"{p} of a column"
            for p in by_column
            if ask("select has_any_column_privilege(%s, %s::oid, %s)", role, relation, p) == [(True,)]
        }
    return found


def allowed(role: str, schema: str, name: str, kind: str) -> set[str]:
    """What it should be."""
    if role == "dti_loader":
        return {"USAGE"} if kind == "S" else set(LOADER[schema])
    if schema == "marts":
        readers = {"dti_analyst": FOR_ANALYSTS, "dti_steward": FOR_STEWARDS}.get(role, set())
        return set(READ) if name in readers else set()
    return set()


def test_every_relation_is_open_to_those_it_is_for_and_to_nobody_else(ask) -> None:
    relations = ask(RELATIONS)
    assert len(relations) > 60
    wrong = [
        f"{role} may {sorted(found)} {schema}.{name}, and should {sorted(allowed(role, schema, name, kind))}"
        for schema, name, kind, number in relations
        for role in ("dti_loader", *OTHERS)
        if schema not in LOADER or (found := held(ask, role, number, kind)) != allowed(role, schema, name, kind)
    ]
    assert wrong == []
    marts = {name for schema, name, _, _ in relations if schema == "marts"}
    assert marts == FOR_ANALYSTS | FOR_STEWARDS, "say of each mart who reads it"


def test_schemas_are_entered_by_those_who_read_in_them_and_made_by_their_owner(ask) -> None:
    enter = {
        "dti_loader": {schema for schema, what in LOADER.items() if what},
        "dti_analyst": {"marts"},
        "dti_steward": {"marts"},
        "airflow": set(),
        "public": set(),
    }
    for role, schemas in enter.items():
        for schema in LOADER:
            may = ask("select has_schema_privilege(%s, %s, 'usage')", role, schema)
            assert may == [(schema in schemas,)], f"{role} in {schema}"
            assert ask("select has_schema_privilege(%s, %s, 'create')", role, schema) == [(False,)], f"{role}: {schema}"


def test_functions_run_for_their_owner_only_with_a_search_path_and_for_named_roles(ask) -> None:
    callable_by = {
        "facts": {"dti_loader"},
        "marts": {"dti_loader", "dti_analyst"},
        "guard": set(),
        "ops": None,
        "published": None,
    }
    functions = ask(FUNCTIONS)
    assert len(functions) >= 9
    for name, runs_as_owner, settings, number, returns in functions:
        roles = callable_by[name.partition(".")[0]]
        if roles is None:
            # Called by triggers alone, as whoever wrote the row: callable by all, and by nobody outside its schema.
            assert returns == "trigger", name
            assert not runs_as_owner, name
            assert [path for path in settings or [] if path.startswith("search_path=")], name
            continue
        if runs_as_owner:
            assert settings == ["search_path=pg_catalog, pg_temp"], name
        may = {
            role
            for role in ("dti_loader", *OTHERS)
            if ask("select has_function_privilege(%s, %s::oid, 'execute')", role, number) == [(True,)]
        }
        assert may == roles, name


def test_roles_are_those_we_know_and_only_the_superuser_has_rights_beyond_grants(ask) -> None:
    roles = {name: (login, mighty) for name, login, mighty in ask(ROLES)}
    logins = ("dti_owner", "dti_loader", "dti_analyst", "airflow")
    assert roles == {
        "postgres": (True, True),
        **dict.fromkeys(logins, (True, False)),
        **dict.fromkeys(("dti_steward", "dti_keeper"), (False, False)),
    }
    # The owner makes stewards; nobody is anybody else, and nobody is the keeper.
    assert ask(
        "select roleid::regrole::text, member::regrole::text from pg_auth_members where member::regrole::text !~ '^pg_'"
    ) == [("dti_steward", "dti_owner")]


def test_what_is_made_later_is_granted_to_the_loader_alone(ask) -> None:
    granted = ask(
        """
        select d.defaclnamespace::regnamespace::text, d.defaclobjtype, a.grantee::regrole::text
        from pg_default_acl as d cross join lateral aclexplode(d.defaclacl) as a
        """
    )
    assert {grantee for _, _, grantee in granted} == {"dti_loader"}
    assert not {"marts", "guard", "public", "-"} & {schema for schema, _, _ in granted}


def test_databases_are_entered_by_their_own_and_temporary_tables_are_the_loaders(ask) -> None:
    enter = {"dti": {"dti_owner", "dti_loader", "dti_analyst"}, "airflow": {"airflow"}}
    databases = [name for (name,) in ask("select datname from pg_database where datallowconn")]
    assert {"dti", "airflow", "postgres", "template1"} <= set(databases)
    for database in databases:
        for role in ("dti_owner", "dti_loader", *OTHERS):
            may = ask("select has_database_privilege(%s, %s, 'connect')", role, database)
            assert may == [(role in enter.get(database, set()),)], f"{role} in {database}"
    may = {
        role
        for role in ("dti_loader", *OTHERS)
        if ask("select has_database_privilege(%s, 'dti', 'temp')", role) == [(True,)]
    }
    assert may == {"dti_loader"}
    extensions = ask("select extname from pg_extension")
    assert extensions == [("plpgsql",)]
