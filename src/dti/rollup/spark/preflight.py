"""What Spark needs before it is started, looked for at once: its package, Java, and a master that answers.

Spark itself would say these things late, in a hundred lines of Java, or never.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from dti.errors import ConfigError, DtiError

if TYPE_CHECKING:
    from dti.settings import Settings

OLDEST_JAVA = 17
ANSWER_SECONDS = 10
_LOCAL = re.compile(r"local(\[(\*|[1-9]\d*)\])?")
_HOSTS = re.compile(r"spark://([^\s/]+)")


def require_spark() -> None:
    """Raises ConfigError when the package ``pyspark`` is not installed, or no Java that it runs on."""
    if importlib.util.find_spec("pyspark") is None:
        raise ConfigError(
            "PySpark is not installed",
            where="DTI_ROLLUP_ENGINE=spark",
            remedy="install the extra: uv sync --extra spark; or unset the variable: rollups then run in DuckDB",
        )
    remedy = f"install Java {OLDEST_JAVA} (Debian: openjdk-17-jre-headless) and let JAVA_HOME or PATH lead to it"
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    where = f"JAVA_HOME={home}" if home else java or "PATH"
    if java is None or not Path(java).is_file():
        raise ConfigError("Spark needs Java, and there is none", where=where, remedy=remedy)
    try:
        told = subprocess.run(  # noqa: S603 - the Java that Spark would start  # nosec B603
            [java, "-version"], capture_output=True, text=True, timeout=60, check=True
        ).stderr
    except (OSError, subprocess.SubprocessError) as fault:
        raise ConfigError(f"Java does not run: {fault}", where=where, remedy=remedy) from fault
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    if found is None or int(found[1]) < OLDEST_JAVA:
        version = found[1] if found else "of an unknown version"
        raise ConfigError(f"Spark needs Java {OLDEST_JAVA} or newer, this is {version}", where=where, remedy=remedy)


def is_local(master: str) -> bool:
    """Whether Spark runs in this process's own JVM; raises ConfigError for a master of no known kind."""
    if _LOCAL.fullmatch(master):
        return True
    if _HOSTS.fullmatch(master):
        return False
    raise ConfigError(
        f"not a Spark master we run on: {master!r}",
        where="DTI_SPARK_MASTER",
        remedy="write local[*], local[4], or spark://host:7077 (a standalone cluster)",
    )


def own_address(settings: Settings) -> str:
    """The address at which the master, and so its workers, can reach this machine: the one we reach it from.

    Raises DtiError when no master answers, ConfigError when nothing says who may talk to our driver there.
    """
    if settings.spark_secret is None:
        raise ConfigError(
            "a cluster is joined with a secret only: without one, whoever reaches our driver may command it",
            where="DTI_SPARK_SECRET",
            remedy="give master and workers spark.authenticate and a secret, and the same secret here (docs/spark.md)",
        )
    hosts = _HOSTS.fullmatch(settings.spark_master)
    faults = []
    for host in hosts[1].split(",") if hosts else []:
        name, _, port = host.rpartition(":")
        if not name or not port.isdigit():
            raise ConfigError(f"no port in {host!r}", where="DTI_SPARK_MASTER", remedy="write spark://host:7077")
        try:
            with socket.create_connection((name.strip("[]"), int(port)), timeout=ANSWER_SECONDS) as connection:
                return str(connection.getsockname()[0])
        except (OSError, OverflowError) as fault:
            faults.append(f"{host}: {fault}")
    raise DtiError(
        f"no Spark master answers ({'; '.join(faults)})",
        where=f"DTI_SPARK_MASTER={settings.spark_master}",
        remedy="start it or mend the address, then repeat; DTI_SPARK_MASTER=local[*] needs none",
    )
