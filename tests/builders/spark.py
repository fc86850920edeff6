"""A standalone Spark cluster on this machine: a master and two workers, on the loopback address and any free ports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pyspark

SECRET = "only-for-tests-4711"
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData"
"""For JVMs that live for a minute: those of the cluster, of its executors and of our driver."""
PATIENCE_SECONDS = 180


def environment(folder: Path) -> dict[str, str]:
    """What every part of the cluster is started with."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_", "DTI_"))},
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": "-Dspark.authenticate=true -Dspark.network.crypto.enabled=true",
        "_SPARK_AUTH_SECRET": SECRET,
        "JDK_JAVA_OPTIONS": f"{QUICK} -Djava.io.tmpdir={folder}",
    }


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """The address of a cluster that runs as long as the block does; every process of it is ended then.

    They end with this process too, when it is killed.
    """
    with ExitStack() as ending:
        host = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        master_log = _start(ending, folder, "master", ["org.apache.spark.deploy.master.Master", *host])
        address = _said(master_log, r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")
        _said(master_log, "New state: ALIVE")
        own = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work")]
        logs = [
            _start(ending, folder, name, ["org.apache.spark.deploy.worker.Worker", *host, *own, address])
            for name in ("worker-1", "worker-2")
        ]
        for log in logs:
            _said(log, "Successfully registered with master")
        yield address


def _start(ending: ExitStack, folder: Path, name: str, command: list[str]) -> Path:
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", Path(pyspark.__file__).parent / "bin" / "spark-class", *command],
            env=environment(folder), cwd=folder, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    ending.callback(_end, process)
    return log


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process and what it started: a worker's executors are of its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _said(log: Path, words: str) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        text = log.read_text("utf-8", "replace")
        if found := re.search(words, text):
            return found[found.lastindex or 0]
        assert time.monotonic() < deadline, f"{log.stem} does not say {words!r}: {text[-2000:]}"
        time.sleep(0.1)
