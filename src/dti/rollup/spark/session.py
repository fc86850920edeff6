"""One Spark session a process: started by the first rollup, stopped when the process ends, however it ends.

The JVM reads its standard input from us and ends with it, so that a killed process leaves none behind. All it writes,
its log too, is in a folder of ours below DTI_HOME, which the next session removes where this one could not.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import IO, TYPE_CHECKING, Any

from dti.clock import ZONE
from dti.errors import ConfigError, DtiError
from dti.rollup.spark.preflight import is_local, own_address, require_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from dti.settings import Settings

EXECUTOR_SECONDS = 120
"""Patience with a cluster that has other work, until it gives us a first executor."""
STOP_SECONDS = 15
LEAST_MEMORY_BYTES = 512 * 2**20
"""Spark refuses to start with less."""
_LOOPBACK = "127.0.0.1"
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_guard = RLock()


@dataclass
class _Running:
    """A session, the JVM it lives in, and the folder that is theirs."""

    key: tuple[object, ...]
    session: SparkSession
    jvm: subprocess.Popen[bytes]
    folder: Path
    lock: IO[str]


_running: _Running | None = None


@contextmanager
def spark(settings: Settings) -> Iterator[tuple[SparkSession, Path]]:
    """A session of its own on the process's Spark, and the folder, below DTI_HOME, that its results may go to.

    Raises ConfigError when something that Spark needs is not there, DtiError when it does not start or its cluster
    gives us nothing to run on. A session that broke is stopped, and the next call starts a new one.
    """
    from py4j.protocol import Py4JError

    with _guard:
        running = _ready(settings)
        try:
            yield running.session.newSession(), running.folder
        except (Py4JError, ConnectionError) as fault:
            told = _last_words(running.folder)
            stop()
            raise DtiError(
                f"Spark ended while it worked: {told}",
                where=f"DTI_SPARK_MASTER={settings.spark_master}",
                remedy="repeat it; if it ends again, raise DTI_ROLLUP_MEMORY_LIMIT or look for who killed it",
            ) from fault


def stop() -> None:
    """Stop this process's Spark, if it has one, with its JVM, and remove its folder. Safe to repeat."""
    global _running  # one a process, as PySpark's own context
    with _guard:
        running, _running = _running, None
        if running is None or running.key[0] != os.getpid():
            return  # of the process we were forked from: its own to stop
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            running.session.stop()
        _end(running.jvm)
        _forget(running.folder, running.lock)


def _ready(settings: Settings) -> _Running:
    global _running  # noqa: PLW0603 # one a process, as PySpark's own context
    local = is_local(settings.spark_master)
    key = (
        os.getpid(),
        settings.spark_master,
        settings.spark_secret,
        settings.rollup_memory_limit,
        settings.rollup_threads,
        settings.local_dir,
    )
    if _running is not None and (_running.key != key or _running.jvm.poll() is not None):
        stop()
    if _running is None:
        require_spark()
        address = _LOOPBACK if local else own_address(settings)
        folder, lock = _own_folder(settings)
        try:
            session, jvm = _start(settings, address, folder)
        except BaseException:
            _forget(folder, lock)
            raise
        _running = _Running(key, session, jvm, folder, lock)
        atexit.register(stop)
        if not local:
            _await_executor(session, settings)
    return _running


def _start(settings: Settings, address: str, folder: Path) -> tuple[SparkSession, subprocess.Popen[bytes]]:
    """A JVM that only we can talk to, and a session in it."""
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")  # we hand it none
        import pyspark.testing.utils  # noqa: F401 # imported by PySpark's own types, when a first value goes to Java

    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # a JVM that is gone is told by an error of ours, once
    where = f"DTI_SPARK_MASTER={settings.spark_master}"
    conf = SparkConf(loadDefaults=False).setAll(list(_jvm_options(settings, folder).items()))
    with (folder / "driver.log").open("wb") as log:
        try:
            gateway: Any = launch_gateway(conf, {"stdout": log, "stderr": log, "cwd": folder})
        except (PySparkException, OSError) as fault:
            raise DtiError(f"Spark's JVM does not start: {_last_words(folder)}", where=where, remedy=_SEE) from fault
    jvm: subprocess.Popen[bytes] = gateway.proc
    try:
        options = SparkConf(loadDefaults=False, _jvm=gateway.jvm).setAll(list(_options(settings, address).items()))
        context = SparkContext(conf=options, gateway=gateway)
        return SparkSession(context), jvm
    except (PySparkException, Py4JError, OSError, ValueError, TypeError) as fault:
        _end(jvm)
        why = str(fault).partition("\n")[0]
        raise DtiError(f"Spark does not start: {why} ({_last_words(folder)})", where=where, remedy=_SEE) from fault
    except BaseException:
        _end(jvm)
        raise


_SEE = "mend what it says, then repeat; without DTI_ROLLUP_ENGINE rollups run in DuckDB"


def _jvm_options(settings: Settings, folder: Path) -> dict[str, str]:
    """What a JVM must know as it starts; this stands on a command line, where all users of the machine read it."""
    return {
        "spark.driver.memory": memory(settings.rollup_memory_limit),
        "spark.driver.extraJavaOptions": f'"-Djava.io.tmpdir={folder}" -XX:-UsePerfData',
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "none"),
    }


def _options(settings: Settings, address: str) -> dict[str, str]:
    """How rollups run: exactly as DuckDB computes, on no more than they were given, and seen by nobody else."""
    master = settings.spark_master
    if settings.rollup_threads is not None and master == "local[*]":
        master = f"local[{settings.rollup_threads}]"
    options = {
        "spark.master": master,
        "spark.app.name": "dti rollup",
        "spark.executor.memory": memory(settings.rollup_memory_limit),
        "spark.driver.bindAddress": address,
        "spark.driver.host": address,
        "spark.authenticate": "true",  # on this machine alone, with a secret that Spark makes up
        "spark.network.crypto.enabled": "true",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": ZONE.key,
        "spark.sql.ansi.enabled": "true",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": "64",  # at most; small ones are put together
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
        "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
        "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    }
    if settings.rollup_threads is not None:
        options["spark.cores.max"] = str(settings.rollup_threads)
    if settings.spark_secret is not None:
        options["spark.authenticate.secret"] = settings.spark_secret.get_secret_value()
    return options


def memory(limit: str) -> str:
    """DTI_ROLLUP_MEMORY_LIMIT, as DuckDB reads it ("2GB", "512MiB"), in mebibytes as a JVM reads them."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?|)b?\s*", limit.lower())
    if found is None:
        raise ConfigError(f"no amount of memory: {limit!r}", where="DTI_ROLLUP_MEMORY_LIMIT", remedy="write 4GB")
    wanted = float(found[1]) * _UNITS[found[2]]
    return f"{int(max(wanted, LEAST_MEMORY_BYTES)) // 2**20}m"


def _await_executor(session: SparkSession, settings: Settings) -> None:
    """Spark would wait for its cluster for ever, and warn in its log."""
    scala: Any = session.sparkContext._jsc.sc()
    ends = time.monotonic() + EXECUTOR_SECONDS
    while scala.getExecutorMemoryStatus().size() < 2:  # our driver is among them
        if time.monotonic() > ends:
            stop()
            raise DtiError(
                f"the cluster gave us no executor within {EXECUTOR_SECONDS} s",
                where=f"DTI_SPARK_MASTER={settings.spark_master}",
                remedy="see the master's page for workers that are alive and have as much memory free as "
                f"DTI_ROLLUP_MEMORY_LIMIT ({settings.rollup_memory_limit}), then repeat",
            )
        time.sleep(0.1)


def _own_folder(settings: Settings) -> tuple[Path, IO[str]]:
    """A new folder for this session, held by a lock that goes with the process; those that nobody holds are removed."""
    root = settings.local_dir / "tmp" / "spark"
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        for left in root.glob("*.lock"):
            with left.open("w") as file, contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _forget(left.with_suffix(""), file)
        folder = Path(tempfile.mkdtemp(dir=root))
        lock = folder.with_suffix(".lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def _forget(folder: Path, lock: IO[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".lock").unlink(missing_ok=True)
    lock.close()


def _end(jvm: subprocess.Popen[bytes]) -> None:
    """Let the JVM end, by the end of its input; kill it where it does not. PySpark is told that it has none."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    if SparkContext._gateway is not None:
        with contextlib.suppress(Exception):
            SparkContext._gateway.close()
    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None
    if jvm.stdin:
        with contextlib.suppress(OSError):
            jvm.stdin.close()
    try:
        jvm.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        jvm.kill()
        jvm.wait()


def _last_words(folder: Path) -> str:
    """The line of Spark's log that says most: the last that names an error, else the last."""
    with contextlib.suppress(OSError):
        lines = [line.strip() for line in (folder / "driver.log").read_text("utf-8", "replace").splitlines()]
        lines = [line for line in lines if line and not line.startswith("at ")]
        telling = [line for line in lines if re.search(r"\bERROR\b|Exception|Error\b|Reason:", line)]
        if lines:
            return (telling or lines)[-1][:500]
    return "it left no word"
