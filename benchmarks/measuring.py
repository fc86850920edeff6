"""What the benchmarks share: contenders taken in turn, each in a process of its own; medians, ratios, tables.

A contender is a function that takes what is given (a dict that JSON can hold) and gets ready: imports, connections.
That is its start-up. It returns the work to be measured, a function that returns the answer. With ``given["check"]``
the work returns something by which the answers of contenders can be compared, and its seconds are thrown away; that
round comes first, and warms the machine's caches for all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psutil

Given = dict[str, Any]
Contenders = dict[str, Callable[[Given], Callable[[], Any]]]
CHILD = "--contender"


class NotHereError(Exception):
    """A contender cannot run here; the text says why."""


class Others:
    """The processes beside ours that work for a contender: our children, and a PostgreSQL when its folder is given.

    ``peak_mib`` is private memory of all of them together and once what they share, looked at ten times a second.
    """

    def __init__(self, data_dir: str | None = None) -> None:
        self._roots = [psutil.Process()]
        if data_dir:
            pid = (Path(data_dir) / "postmaster.pid").read_text("ascii").split("\n")[0]
            self._roots.append(psutil.Process(int(pid)))
        self._ended = threading.Event()
        self.peak_mib = 0.0

    def __enter__(self) -> Others:
        self._look()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def processor(self) -> float:
        """Processor seconds of ours and theirs so far, also of those that ended."""
        spent = 0.0
        for process in self._all():
            with suppress(psutil.Error):
                used = process.cpu_times()
                ended = used.children_user + used.children_system if process in self._roots else 0.0
                spent += used.user + used.system + ended
        return spent

    def _all(self) -> list[psutil.Process]:
        found = list(self._roots)
        for root in self._roots:
            with suppress(psutil.Error):
                found += root.children(recursive=True)
        return found

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            self._look()

    def _look(self) -> None:
        private = shared = 0
        for process in self._all()[1:]:
            with suppress(psutil.Error):
                memory = process.memory_info()
                private += memory.rss - memory.shared
                shared = max(shared, memory.shared)
        self.peak_mib = max(self.peak_mib, (private + shared) / 2**20)


def high_water() -> float:
    """Peak resident memory of this process, in MiB. Unlike ru_maxrss it does not begin with that of the parent."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure(contender: Callable[[Given], Callable[[], Any]], given: Given) -> dict[str, Any]:
    """Run one contender in this process; its figures. Where it cannot run they say ``absent`` and why."""
    try:
        work = contender(given)
    except NotHereError as reason:
        return {"absent": str(reason)}
    startup = time.time() - psutil.Process().create_time()  # imports too
    with Others(given.get("data_dir")) as others:
        before = others.processor()
        started = time.perf_counter()
        answer = work()
        seconds = time.perf_counter() - started
        processor = others.processor() - before
    return {
        "startup_seconds": startup,
        "seconds": seconds,
        "processor_seconds": processor,
        "peak_mib": high_water(),
        "others_mib": others.peak_mib,
        "answer": answer,
    }


def serve(contenders: Contenders) -> None:
    """In a child process: run the contender that is asked for, print its figures, and end the process."""
    if sys.argv[1:2] == [CHILD]:
        print(json.dumps(measure(contenders[sys.argv[2]], json.loads(sys.argv[3])), default=_told))
        raise SystemExit(0)


def in_turn(module: str, names: Sequence[str], given: Given, repeats: int) -> dict[str, dict[str, Any]]:
    """Figures of each contender: medians over ``repeats`` rounds, taken A B C, A B C; peaks are the highest.

    ``given["own"]`` holds what is given to one contender only, by its name. Raises SystemExit when a contender fails,
    or when two of them do not give the same answer; ``given["compare"]`` false leaves the comparison out.
    """
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    absent: dict[str, str] = {}
    answers: dict[str, Any] = {}
    for number in range(repeats + 1):
        for name in names:
            if name in absent:
                continue
            own = {**given, **(given.get("own", {}).get(name, {})), "check": number == 0, "round": number}
            figures = _child(module, name, own)
            if "absent" in figures:
                absent[name] = figures["absent"]
                say(f"{name}: {absent[name]}")
            elif number == 0:
                answers[name] = figures["answer"]
            else:
                taken[name].append(figures)
                say(f"{given.get('title', '')} round {number} {name}: {figures['seconds']:.2f} s")
    if given.get("compare", True):
        agree(answers)
    return {name: {"absent": absent[name]} if name in absent else _median(taken[name]) for name in names}


def agree(answers: dict[str, Any]) -> None:
    """Raise SystemExit naming the contenders that do not give the same answer; None is no answer."""
    given = {name: answer for name, answer in answers.items() if answer is not None}
    if len({json.dumps(answer, default=_told, sort_keys=True) for answer in given.values()}) > 1:
        raise SystemExit("not the same answer: " + "; ".join(f"{name}: {answer}" for name, answer in given.items()))


def _median(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    spent = {
        name: statistics.median(each[name] for each in rounds)
        for name in ("startup_seconds", "seconds", "processor_seconds")
    }
    peaks = {name: max(each[name] for each in rounds) for name in ("peak_mib", "others_mib")}
    all_seconds = [round(each["seconds"], 3) for each in rounds]
    return {**spent, **peaks, "all_seconds": all_seconds, "answer": rounds[-1]["answer"]}


def _child(module: str, name: str, given: Given) -> dict[str, Any]:
    command = [sys.executable, "-m", module, CHILD, name, json.dumps(given, default=_told)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, check=False, text=True, env=os.environ | given.get("env", {})
    )
    if done.returncode:
        raise SystemExit(f"{module}: {name} failed ({done.returncode})")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def rows_of(label: str, found: dict[str, dict[str, Any]], floor: str, count: int | None = None) -> list[str]:
    """Lines of a Markdown table, one a contender, for the columns of :func:`head`."""
    lines = []
    base = found.get(floor, {}).get("seconds")
    for name, f in found.items():
        if "absent" in f:
            lines.append(f"| {label} | {name} | {f['absent']} | | | | | | |")
            continue
        ratio = f"{f['seconds'] / base:.2f}" if base else ""
        rate = f"{count / f['seconds']:,.0f}" if count else ""
        others = f"{f['others_mib']:,.0f}" if f["others_mib"] > 1 else ""
        lines.append(
            f"| {label} | {name} | {f['startup_seconds']:.1f} | {f['seconds']:.2f} | {ratio} |"
            f" {f['processor_seconds']:.2f} | {rate} | {f['peak_mib']:,.0f} | {others} |"
        )
    return lines


def head(what: str, rate: str) -> list[str]:
    """The head of that table."""
    names = f"| {what} | contender | start-up s | seconds | ratio | processor s | {rate} | peak MiB | others MiB |"
    return [names, "|---:|---|---:|---:|---:|---:|---:|---:|---:|"]


def parser(text: str | None, sizes: Sequence[int] = (), repeats: int = 5) -> argparse.ArgumentParser:
    """Arguments that every benchmark has."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    if sizes:
        made.add_argument("sizes", nargs="*", type=whole, default=list(sizes))
    made.add_argument("--repeats", type=int, default=repeats)
    made.add_argument("--json", type=Path, help="write the figures here too")
    return made


def whole(text: str) -> int:
    """``1_000_000`` or ``1,000,000`` as a number."""
    return int(text.replace("_", "").replace(",", ""))


def publish(lines: list[str], figures: object, target: Path | None) -> None:
    """Print the table; write the figures as JSON."""
    print("\n".join(lines), flush=True)
    if target:
        machine = {
            "cores": os.cpu_count(),
            "memory_mib": psutil.virtual_memory().total // 2**20,
            "load_average": os.getloadavg(),
            "taken_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        target.write_text(
            json.dumps({"machine": machine, "figures": figures}, indent=1, ensure_ascii=False, default=_told), "utf-8"
        )


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"{datetime.now().astimezone():%H:%M:%S} {text}", file=sys.stderr, flush=True)


@contextmanager
def scratch(keep: Path | None = None) -> Iterator[Path]:
    """A folder that is gone afterwards; ``keep`` names one that stays."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    folder = Path(tempfile.mkdtemp(prefix="dti-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def home(folder: Path) -> Iterator[dict[str, str]]:
    """A prepared installation in ``folder``: the environment it wants, and its PostgreSQL until the end."""
    environment = {"DTI_HOME": str(folder)}
    os.environ |= environment
    from dti import flow
    from dti.settings import get_settings
    from dti.warehouse import embedded

    get_settings.cache_clear()
    settings = get_settings()
    try:
        flow.prepare(settings)
        yield environment
    finally:
        embedded.stop(settings)


def data_dir(folder: Path) -> str:
    """Where the PostgreSQL of a home keeps its data."""
    return str(folder / "postgres" / "data")


def _told(value: object) -> object:
    if isinstance(value, date | Path):
        return str(value)
    raise TypeError(f"{type(value)} is not JSON")
