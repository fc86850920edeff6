"""Commands. Each prints a clear error and exits non-zero on failure; none holds logic of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from dti import clock
from dti.cli.annual import annual_app
from dti.cli.corrections import correction_app
from dti.cli.lake import lake_app
from dti.cli.plain import Json, problems
from dti.cli.plain import plain_errors as _plain_errors
from dti.cli.quarantine import quarantine_app
from dti.cli.secrets import secrets_app
from dti.cli.suites import suite_app

app = typer.Typer(
    help="The DTI warehouse: from agency systems to the eight pillar indices.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
source_app = typer.Typer(help="Sources: one system of one agency each.", no_args_is_help=True)
framework_app = typer.Typer(help="Frameworks: the method as data.", no_args_is_help=True)
app.add_typer(source_app, name="source")
app.add_typer(framework_app, name="framework")
app.add_typer(annual_app, name="annual")
app.add_typer(correction_app, name="correction")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(suite_app, name="suite")
app.add_typer(lake_app, name="lake")
app.add_typer(secrets_app, name="secrets")


@app.command()
def setup() -> None:
    """Start the embedded PostgreSQL if needed, migrate, and load reference data."""
    from dti import flow

    with _plain_errors():
        flow.prepare()
        problems.print("warehouse is ready")


@app.command()
def night(
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The night to run; default: yesterday in Việt Nam.")
    ] = None,
    framework: Annotated[str | None, typer.Option(help="Framework of the run; default: the nightly one.")] = None,
) -> None:
    """Run one night without Airflow: pull, check, load, compute, print."""
    from dti.cli.night import run_night

    day = date.date() if date else clock.local_day(clock.now()) - timedelta(days=1)
    with _plain_errors():
        run_night(day, framework)


@app.command()
def sql(select: Annotated[str, typer.Argument(help="One SELECT over the marts.")]) -> None:
    """Run a query as the analysts' role and print CSV."""
    from dti.cli.sql import print_csv

    with _plain_errors():
        print_csv(select)


@app.command()
def status(as_json: Json = False) -> None:
    """Show what needs a person, and how fresh each source is. Exits with 3 when something needs one."""
    from dti.cli.status import NEEDS_A_PERSON, print_status

    with _plain_errors():
        if print_status(as_json=as_json):
            raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def tell(as_json: Json = False) -> None:
    """Tell those in include/notify.yml what needs them and they were not told yet. Nights do it by themselves."""
    from dti.cli.status import print_told

    with _plain_errors():
        if not print_told(as_json=as_json):
            raise typer.Exit(1)


@app.command()
def maintain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    steps: Annotated[list[str] | None, typer.Argument(help="Steps; default: all. See docs/maintenance.md.")] = None,
    as_json: Json = False,
) -> None:
    """Remove what is older than its retention, tidy tables, and show what that freed. Airflow does it weekly."""
    from dti.cli.maintain import run_maintenance

    with _plain_errors():
        run_maintenance(steps or (), dry_run=dry_run, as_json=as_json)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where the copy goes; again into the same folder: only what is new.")],
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Copy secrets.json too: keep that folder as safe as DTI_HOME.")
    ] = False,
) -> None:
    """Copy what cannot be made again: the warehouse, landing, publications. The manifest is written last."""
    from dti.cli.backup import run_backup

    with _plain_errors():
        run_backup(folder, with_secrets=with_secrets)


@app.command()
def restore(folder: Annotated[Path, typer.Argument(help="A folder that dti backup wrote.")]) -> None:
    """Make a new DTI_HOME of a backup: warehouse, landing, and the lake built anew from landing."""
    from dti.cli.backup import run_restore

    with _plain_errors():
        run_restore(folder)


@app.command()
def compute(
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Nothing after it counts; default: yesterday.")
    ] = None,
    year: Annotated[
        int | None, typer.Option(help="Reporting year, whole when closed; default: that of the date.")
    ] = None,
    framework: Annotated[str | None, typer.Option(help="Framework: id or folder; default: the nightly one.")] = None,
    geography: Annotated[str | None, typer.Option(help="63, 34 …; default: in force at the end of the period.")] = None,
    merge: Annotated[
        Literal["none", "average", "recomputed"] | None,
        typer.Option(help="How former provinces become one: the mean of their indices, or from their merged counts."),
    ] = None,
) -> None:
    """Compute one index run over the facts that are loaded, beside the nightly ones, and print it."""
    from dti.cli.compute import run_compute

    day = date.date() if date else clock.local_day(clock.now()) - timedelta(days=1)
    with _plain_errors():
        run_compute(day, framework, year=year, geography=geography, merge_method=merge)


@app.command()
def dictionary(
    check: Annotated[
        bool, typer.Option("--check", help="Only tell whether the file is what the database says.")
    ] = False,
) -> None:
    """Write docs/data-dictionary.md from the comments of the database."""
    from dti.cli.dictionary import write_dictionary

    with _plain_errors():
        if not write_dictionary(check=check):
            raise typer.Exit(1)


@app.command()
def lineage(
    column: Annotated[str | None, typer.Argument(help="schema.table.column: marts.pillar_index.index_value.")] = None,
    as_json: Json = False,
    write: Annotated[bool, typer.Option("--write", help="Derive include/lineage.json anew from the SQL.")] = False,
) -> None:
    """Show what a column is made of: scores, facts, lake, landing, and the fields that agencies send."""
    from dti.cli.lineage import print_lineage, write_lineage

    with _plain_errors():
        if write:
            write_lineage()
        else:
            print_lineage(column or "", as_json=as_json)


@app.command()
def index(
    run: Annotated[str | None, typer.Option(help="A run id; default: the newest nightly run.")] = None,
) -> None:
    """Show the index table: units, eight pillars, PDTI, ranks, coverage."""
    from dti.cli.tables import print_index

    with _plain_errors():
        print_index(run_id=run)


@app.command()
def explain(
    unit: Annotated[str, typer.Argument(help='A unit id, or any name of the unit: P34-66, "Đắk Lắk".')],
    code: Annotated[str, typer.Argument(help="An indicator (7.3), a pillar (CQS) or a composite (PDTI).")],
    run: Annotated[
        str | None, typer.Option(help="A run id; default: the newest nightly run that has the unit.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show where a number comes from: method, rule, figures, sources, batches, quarantine, landed records."""
    from dti.cli.explain import print_explanation

    with _plain_errors():
        print_explanation(unit, code, run_id=run, as_json=as_json)


@app.command()
def replay(
    framework: Annotated[str, typer.Argument(help="A framework that can be computed: 922-2022.")],
    year: Annotated[int, typer.Argument(help="A year whose results were published under it.")],
    as_json: Json = False,
) -> None:
    """Make up a published year in raw records, run the whole pipeline on them, and compare with what was published."""
    from dti.cli.replay import run_replay

    with _plain_errors():
        if not run_replay(framework, year, as_json=as_json):
            raise typer.Exit(1)


@source_app.command("check")
def source_check(
    file: Annotated[Path, typer.Argument(help="A source YAML file.")],
    connect: Annotated[bool, typer.Option(help="Also read the first page from the agency's system.")] = False,
) -> None:
    """Check a source file before anyone schedules it."""
    from dti.cli.checks import check_source

    with _plain_errors():
        if not check_source(file, connect=connect):
            raise typer.Exit(1)


@framework_app.command("lint")
def framework_lint(path: Annotated[Path, typer.Argument(help="A framework folder.")]) -> None:
    """Find what would make a wrong index in a framework folder."""
    from dti.cli.checks import lint_framework

    with _plain_errors():
        if not lint_framework(path):
            raise typer.Exit(1)


@framework_app.command("import")
def framework_import(
    file: Annotated[Path, typer.Argument(help="The official annex: XLSX, XLS, ODS or CSV.")],
    framework_id: Annotated[str, typer.Option("--id", help="Name of the new framework and of its folder.")],
    replaces: Annotated[str | None, typer.Option(help="The framework whose metrics and composites carry over.")] = None,
    out: Annotated[Path | None, typer.Option(help="Parent folder; default: include/frameworks.")] = None,
    decision: Annotated[str | None, typer.Option(help="Number of the decision; default: as the title says.")] = None,
    decided_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of the decision.")] = None,
    name: Annotated[str | None, typer.Option(help="Vietnamese name; default: as the title says.")] = None,
    name_en: Annotated[str | None, typer.Option(help="English name.")] = None,
    from_year: Annotated[int | None, typer.Option(help="First reporting year in force.")] = None,
    to_year: Annotated[int | None, typer.Option(help="Last reporting year in force.")] = None,
    unit_level: Annotated[str | None, typer.Option(help="Level of the units: province, commune …")] = None,
    geography: Annotated[str | None, typer.Option(help="Whose units; default: those in force on the day.")] = None,
    family: Annotated[str | None, typer.Option(help="What is measured: dti, service_quality …")] = None,
    pillar_codes: Annotated[str | None, typer.Option(help="Short codes of the main indices, NT,TC,…")] = None,
    sheet: Annotated[list[str] | None, typer.Option(help="Sheet to read; may be repeated. Default: all.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a CSV; default: found by looking.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write the folder anew when it exists.")] = False,
    as_json: Json = False,
) -> None:
    """Make a framework folder of the official table; what is not understood becomes stated points, marked."""
    from dti.cli.frameworks import import_framework
    from dti.index.annex.head import Told

    told = Told(
        decision=decision,
        decided_on=decided_on.date() if decided_on else None,
        name_vi=name,
        name_en=name_en,
        unit_level=unit_level,
        geography=geography,
        family=family,
        from_year=from_year,
        to_year=to_year,
        pillar_codes=tuple(code.strip() for code in pillar_codes.split(",")) if pillar_codes else (),
    )
    with _plain_errors():
        if not import_framework(
            file,
            framework_id,
            told=told,
            replaces=replaces,
            out=out,
            force=force,
            encoding=encoding,
            sheets=sheet or (),
            as_json=as_json,
        ):
            raise typer.Exit(1)


@framework_app.command("diff")
def framework_diff(
    before: Annotated[str, typer.Argument(help="A framework: id or folder.")],
    after: Annotated[str, typer.Argument(help="Another one.")],
    as_json: Json = False,
) -> None:
    """Show what changes from one framework to another: indicators, points, rules, pillar totals."""
    from dti.cli.frameworks import print_difference

    with _plain_errors():
        print_difference(before, after, as_json=as_json)
