"""``python -m sandbox serve`` and ``python -m sandbox drop``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sandbox import SYNTHETIC_NOTE
from sandbox.clock import Clock, parse_clock
from sandbox.drop import write_drop
from sandbox.portals.agencies import World
from sandbox.replay.serve import create_app as replay_app
from sandbox.replay.serve import provinces, write_home
from sandbox.replay.targets import NotReplayableError
from sandbox.serve import DEFAULT_PORT, HOST, create_app, run
from sandbox.web.auth import TokenDesk
from sandbox.world.times import local

app = typer.Typer(help=f"Agencies to run against. {SYNTHETIC_NOTE}.", no_args_is_help=True, add_completion=False)


def _time(text: str) -> datetime:
    try:
        return parse_clock(text)
    except ValueError:
        raise typer.BadParameter("give a time such as 2026-07-01T02:00") from None


Seed = Annotated[int, typer.Option(envvar="DTI_SANDBOX_SEED", help="The same seed and clock give the same answers.")]
Scale = Annotated[
    float, typer.Option(envvar="DTI_SANDBOX_SCALE", min=0.0, help="1: some 23 thousand dossiers in half a year.")
]
At = Annotated[
    datetime | None,
    typer.Option("--clock", envvar="DTI_SANDBOX_CLOCK", parser=_time, help="2026-07-01T02:00; unset: real time."),
]


@app.command()
def serve(
    client_id: Annotated[str, typer.Option(envvar="SANDBOX_CLIENT_ID", help="OAuth2 client id.")],
    client_secret: Annotated[str, typer.Option(envvar="SANDBOX_CLIENT_SECRET", help="Better by environment.")],
    port: Annotated[int, typer.Option(envvar="DTI_SANDBOX_PORT", help="The port.")] = DEFAULT_PORT,
    clock: At = None,
    home: Annotated[Path | None, typer.Option(envvar="DTI_HOME", help="Keep HOME/drop as of the clock.")] = None,
    host: Annotated[str, typer.Option(envvar="DTI_SANDBOX_HOST", help="Another only in a closed network.")] = HOST,
    seed: Seed = 922,
    scale: Scale = 1.0,
    token_seconds: Annotated[float, typer.Option(min=1, help="Life of a token.")] = 60,
) -> None:
    """Serve all agencies until interrupted."""
    time = Clock(clock)
    served = create_app(World(seed, scale), time, TokenDesk(client_id, client_secret, token_seconds), home)
    typer.echo(SYNTHETIC_NOTE)
    typer.echo(f"http://{host}:{port}  clock {local(time.now()):%Y-%m-%d %H:%M}  seed {seed}  scale {scale:g}")
    try:
        run(served, port, host)
    except OSError as fault:
        typer.echo(f"port {port} of {host}: {fault.strerror} — give another with --port or DTI_SANDBOX_PORT", err=True)
        raise typer.Exit(1) from None


@app.command()
def replay(
    framework: Annotated[str, typer.Argument(help="Framework whose rules the records are made up for: 922-2022.")],
    year: Annotated[int, typer.Argument(help="A published year.")],
    home: Annotated[Path, typer.Option(envvar="DTI_HOME", help="HOME/drop and HOME/sources are written.")],
    client_id: Annotated[str, typer.Option(envvar="SANDBOX_CLIENT_ID", help="OAuth2 client id.")],
    client_secret: Annotated[str, typer.Option(envvar="SANDBOX_CLIENT_SECRET", help="Better by environment.")],
    port: Annotated[int, typer.Option(envvar="DTI_SANDBOX_PORT", help="On 127.0.0.1 only.")] = DEFAULT_PORT,
) -> None:
    """Serve a published year: records calibrated so that a faithful pipeline must arrive at what was published."""
    try:
        made = provinces(framework, year)
    except NotReplayableError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(1) from None
    write_home(home, made)
    typer.echo(f"{SYNTHETIC_NOTE}; calibrated to the published {year}")
    run(replay_app(made, TokenDesk(client_id, client_secret)), port)


@app.command()
def drop(
    home: Annotated[Path, typer.Option(envvar="DTI_HOME", help="HOME/drop is written.")],
    clock: At = None,
    seed: Seed = 922,
    scale: Scale = 1.0,
) -> None:
    """Write the workbooks and CSV files that offices have sent by the clock."""
    for path in write_drop(World(seed, scale), home, Clock(clock).now()):
        typer.echo(path)


if __name__ == "__main__":
    app(prog_name="python -m sandbox")
