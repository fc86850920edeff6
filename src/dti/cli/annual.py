"""``dti annual``: recompute a whole year, look at what came out, and publish it or not."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from dti.cli.plain import Json, plain_errors

annual_app = typer.Typer(
    help="Recompute a whole year, and publish it for good.", invoke_without_command=True, no_args_is_help=True
)
RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="A request, such as 2026-r1.")]
PublicationId = Annotated[str, typer.Argument(metavar="PUBLICATION", help="A publication, such as 2026.dti.34.v1.")]
By = Annotated[str, typer.Option("--by", help="Who decides: it stands on the publication.")]


@annual_app.callback()
def ask(
    context: typer.Context,
    year: Annotated[int | None, typer.Option(help="Reporting year.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is recomputed; it is published.")] = None,
    framework: Annotated[str | None, typer.Option(help="Framework; default: the one in force in the year.")] = None,
    requester: Annotated[str | None, typer.Option(help="Who asks; default: your login name.")] = None,
    geography: Annotated[str | None, typer.Option(help="63, 34 …; default: in force at the end of the period.")] = None,
    merge: Annotated[
        str | None, typer.Option(help="How former provinces become one: none, average or recomputed.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="As known at a moment (2027-06-03T00:00+07:00), by a night (2026-06-28) or by a run id."),
    ] = None,
    accept: Annotated[list[str] | None, typer.Option(help="A check that may fail; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Ask for a year, compute its candidate, check it and show what changed. Publishing is a step of its own."""
    if context.invoked_subcommand is not None:
        return
    from dti.cli.annual_ask import ask_for

    with plain_errors():
        ask_for(
            year,
            reason or "",
            requester or getpass.getuser(),
            framework=framework,
            geography=geography,
            merge=merge,
            as_of=as_of,
            accept=accept or (),
            as_json=as_json,
        )


@annual_app.command()
def approve(
    request_id: RequestId,
    by: By,
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: Json = False,
) -> None:
    """Publish the candidate of a request, for good, and write its bundle."""
    from dti.cli.annual_decide import approve as run

    with plain_errors():
        run(request_id, by, note, as_json=as_json)


@annual_app.command()
def reject(
    request_id: RequestId,
    by: By,
    note: Annotated[str, typer.Option(help="Why: it is recorded beside the candidate.")],
    as_json: Json = False,
) -> None:
    """Keep the candidate of a request unpublished, with the reason; its year is free again."""
    from dti.cli.annual_decide import reject as run

    with plain_errors():
        run(request_id, by, note, as_json=as_json)


@annual_app.command()
def withdraw(
    request_id: RequestId,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: Json = False,
) -> None:
    """End a request that nobody decided on; its year is free again."""
    from dti.cli.annual_decide import withdraw as run

    with plain_errors():
        run(request_id, reason or f"withdrawn by {getpass.getuser()}", as_json=as_json)


@annual_app.command("list")
def list_all(
    year: Annotated[int | None, typer.Option(help="Only of this year.")] = None, as_json: Json = False
) -> None:
    """Show all requests and what became of them, newest first."""
    from dti.cli.annual_show import print_requests

    with plain_errors():
        print_requests(year, as_json=as_json)


@annual_app.command()
def show(request_id: RequestId, as_json: Json = False) -> None:
    """Show a request: what was asked, its checks, whose rank changed, and what can be done with it."""
    from dti.cli.annual_show import print_request

    with plain_errors():
        print_request(request_id, as_json=as_json)


@annual_app.command()
def calendar(as_json: Json = False) -> None:
    """Show when each year is collected, appraised and published, and which years are asked for by themselves."""
    from dti.cli.annual_calendar import print_calendar

    with plain_errors():
        if not print_calendar(as_json=as_json):
            raise typer.Exit(1)


@annual_app.command()
def bundle(publication_id: PublicationId, as_json: Json = False) -> None:
    """Write the files of a publication again, the same bytes as ever, and show where they are."""
    from dti.cli.annual_decide import bundle as run

    with plain_errors():
        run(publication_id, as_json=as_json)


@annual_app.command()
def verify(publication_id: PublicationId, as_json: Json = False) -> None:
    """Check that a publication and its files are as they were published."""
    from dti.cli.annual_decide import verify as run

    with plain_errors():
        if not run(publication_id, as_json=as_json):
            raise typer.Exit(1)
