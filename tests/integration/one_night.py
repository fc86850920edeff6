"""Run by the tests of machine faults: nights of two feeds to which something happens on the way.

Each is a process of its own, forked from one that has paid the heavy imports. It reads lines of orders and answers
each with a line: how the nights of that line, which are run at once, have ended. A night is an order of four texts:
DTI_HOME, its day, and, if something is to happen to it, MOMENT (see tests.builders.moments) and FAULT:

``fill`` writes the disk of DTI_HOME full, ``limit`` lets the process write no file any more, as a quota does, and
``stop`` takes PostgreSQL away as a power cut would.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import IO, Any

from dti.errors import DtiError
from dti.settings import get_settings
from dti.warehouse import cluster
from tests.builders.moments import arm
from tests.builders.two_feeds import Home
from tests.integration.killed_nights import begin, end, night

BALLAST = "ballast"


def fill() -> None:
    """Write until nothing more fits."""
    with (get_settings().home_dir / BALLAST).open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError as full:
                if full.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise


def limit() -> None:
    """No file grows any more; that of others does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def stop() -> None:
    """Stop PostgreSQL at once; it is started by whoever needs it next."""
    own = cluster.locate(get_settings())
    cluster._run(own, "pg_ctl", ["stop", "-mimmediate", "-w", "-t60", f"-D{own.data}"])


FAULTS: dict[str, Callable[[], None]] = {"fill": fill, "limit": limit, "stop": stop}


def told(day: str, moment: str = "", fault: str = "") -> str:
    """Run a night; the error of ours that it broke off with, or nothing."""
    if moment:
        arm(moment, FAULTS[fault])
    try:
        night(date.fromisoformat(day))
    except DtiError as error:
        return f"{error.kind}: {error}"
    return ""


def main() -> None:
    for line in sys.stdin:
        started = [begin(home, partial(told, *given)) for home, *given in json.loads(line)]
        print(json.dumps([end(*each) for each in started]), flush=True)  # noqa: T201


class Nights:
    """This program, at work, for tests to give orders to."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self.orders, self.answers = orders, answers

    def run(self, home: Home, *nights: date, moment: str = "", fault: str = "") -> list[str]:
        """Run nights at once: what each broke off with, empty where it is whole."""
        order = [[str(home.settings.home_dir), str(day), *((moment, fault) if moment else ())] for day in nights]
        self.orders.write(json.dumps(order) + "\n")
        self.orders.flush()
        ended: list[tuple[int, Any]] = json.loads(self.answers.readline())
        assert [status for status, _ in ended] == [0] * len(nights), "a night ended with an error that is not ours"
        return [told for _, told in ended]


@contextmanager
def at_work(environment: dict[str, str]) -> Iterator[Nights]:
    """Nights in the environment of a home, but for its DTI_HOME."""
    command = [sys.executable, "-m", "tests.integration.one_night"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield Nights(process.stdin, process.stdout)
        process.stdin.close()


if __name__ == "__main__":
    os.environ.pop("DTI_HOME", None)
    main()
