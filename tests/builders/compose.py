"""docker-compose.yaml without a container engine: rendered by docker-compose, its services as plain processes."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from dti.settings import Settings
from dti.warehouse import cluster
from dti_airflow import processes
from tests.builders.airflow import free_port
from tests.conftest import PROJECT

FILE = PROJECT / "docker-compose.yaml"
EXAMPLE = PROJECT / ".env.example"
REQUIRED = re.findall(r"^(DTI_\w+)=$", EXAMPLE.read_text("utf-8"), re.MULTILINE)
ADDRESS = re.compile(r"(?<=[@/])(postgres|redis|api-server|sandbox):(\d+)(?![^/@\s]*@)")  # no user and password


def variables(sources: Path | str, **more: str) -> dict[str, str]:
    """What .env holds: every variable that the example leaves empty, and more."""
    made = {name: secrets.token_urlsafe(24) for name in REQUIRED}
    made["DTI_FERNET_KEY"] = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    made["DTI_JWT_SECRET"] = secrets.token_urlsafe(48)
    return made | {"DTI_SOURCES_DIR": str(sources)} | more


def config(env: dict[str, str], tmp: Path, *profiles: str) -> subprocess.CompletedProcess[str]:
    """What ``docker-compose config`` makes of the file with these variables."""
    file = tmp / f"{secrets.token_hex(4)}.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in env.items()), "utf-8")
    command = ["docker-compose", "-f", str(FILE), "--env-file", str(file)]
    command += [part for profile in profiles for part in ("--profile", profile)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DTI_", "AIRFLOW", "COMPOSE"))}
    return subprocess.run([*command, "config"], env=clean, capture_output=True, text=True, timeout=60)


def render(env: dict[str, str], tmp: Path, *profiles: str) -> dict:
    """The file with its variables filled in."""
    done = config(env, tmp, *profiles)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


@dataclass
class Stack:
    """Services of the rendered file as processes of this machine: their hosts are loopback, their volumes folders."""

    services: dict[str, dict]
    project: Path
    root: Path
    ports: dict[tuple[str, str], int] = field(default_factory=dict)
    records: dict[str, processes.Record] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    ending: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root.chmod(0o711)
        for known in (("postgres", "5432"), ("redis", "6379"), ("api-server", "8080"), ("sandbox", "18410")):
            self.ports[known] = free_port()

    @property
    def run_dir(self) -> Path:
        return self.root / "run"

    @property
    def home(self) -> Path:
        return self.root / "volumes" / "home"

    def url(self, service: str, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[service, port]}"

    def environment(self, service: str, name: str | None = None) -> dict[str, str]:
        """What the file gives the service, as it is on this machine; what the image gives; and nothing else of ours."""
        image = {"DTI_PROJECT": str(self.project), "AIRFLOW_HOME": str(self.root / "airflow" / (name or service))}
        given = {k: self._local(v, service) for k, v in self.services[service].get("environment", {}).items()}
        machine = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG") or k.startswith("OPENBLAS")}
        ports = {"PGPORT": str(self.ports["postgres", "5432"])} if service == "postgres" else {}
        return machine | {"PYTHONPATH": str(PROJECT), "HOME": str(self.root)} | image | ports | given

    def command(self, service: str) -> list[str]:
        return [self._local(part, service) for part in self._program(self.services[service]["command"])]

    def up(self, service: str, name: str | None = None, patience: float = 180) -> None:
        """Start a service after those it depends on, each as far as the file wants it."""
        if (name or service) in self.records or service in self.done:
            return
        for other, how in self.services[service].get("depends_on", {}).items():
            self.up(other)
            if how["condition"] == "service_healthy":
                self.wait(other, patience)
        if service == "postgres":
            self._start_postgres()
        elif self.services[service].get("restart") == "no":
            self.run(service)
            self.done.add(service)
        else:
            self._start(name or service, self.command(service), self.environment(service, name))

    def begin(self, service: str) -> subprocess.Popen[bytes]:
        """Start a service that ends by itself."""
        with (self.root / f"{service}.log").open("wb") as log:
            process = subprocess.Popen(
                self.command(service), env=self.environment(service), cwd=self.root, stdout=log, stderr=log
            )
        self.ending.append(process)
        return process

    def run(self, service: str, timeout: float = 300) -> None:
        """Run a service that ends, well."""
        assert self.begin(service).wait(timeout) == 0, self.log(service)

    def is_healthy(self, service: str) -> bool:
        """What the file's own health check says."""
        kind, *command = self.services[service]["healthcheck"]["test"]
        command = ["sh", "-c", *command] if kind == "CMD-SHELL" else self._program(command)
        local = [self._local(part, service) for part in command]
        return not subprocess.run(local, env=self.environment(service), capture_output=True, cwd=self.root).returncode

    def wait(self, service: str, patience: float = 180) -> None:
        """Until its health check says that it is healthy."""
        deadline = time.monotonic() + patience
        while not self.is_healthy(service):
            assert self.records[service].leader(), f"{service} ended: {self.log(service)}"
            assert time.monotonic() < deadline, f"{service} is not healthy: {self.log(service)}"
            time.sleep(1)  # a question costs a second of a core, which what is asked about needs more

    def log(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text("utf-8", errors="replace")[-3000:]

    def down(self) -> None:
        """End all of it; PostgreSQL last, because the others need it to say goodbye."""
        for process in self.ending:
            process.kill()
            process.wait(10)
        last = [self.records.pop("postgres")] if "postgres" in self.records else []
        for records in (list(self.records.values()), last):
            processes.stop(records, run_dir=self.run_dir)
        self.records.clear()

    def _start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.records[name] = processes.start(
            name, command, environment=environment, run_dir=self.run_dir, log=self.root / f"{name}.log"
        )

    def _start_postgres(self) -> None:
        """As its image does: initdb with the arguments given, then the command. Not as root, which it refuses."""
        environment = self.environment("postgres")
        place = cluster.locate(Settings(project=self.project, home=self.root / "volumes" / "postgres"))
        as_user = ["setpriv", f"--reuid={place.run_as.pw_uid}", f"--regid={place.run_as.pw_gid}", "--clear-groups"]
        as_user = as_user if os.geteuid() == 0 else []
        cluster._make_folders(place)
        password = place.folder / "password"
        password.write_text(environment["POSTGRES_PASSWORD"])
        shutil.chown(password, place.run_as.pw_uid, place.run_as.pw_gid)
        initdb = [str(cluster._binaries() / "initdb"), f"--pgdata={place.data}", f"--pwfile={password}", "--no-sync"]
        given = environment["POSTGRES_INITDB_ARGS"].split()
        subprocess.run([*as_user, *initdb, "--username=postgres", *given], check=True, capture_output=True, timeout=60)
        password.unlink()
        hba = (place.data / "pg_hba.conf").read_text()
        assert "trust" not in re.sub(r"#.*", "", hba)
        only_here = ["-D", str(place.data), "-h", "127.0.0.1", "-k", str(place.folder), "-c", "fsync=off"]
        self._start("postgres", [*as_user, *self.command("postgres"), *only_here], environment)

    def _program(self, command: list[str]) -> list[str]:
        found = {"python": sys.executable, **{n: str(cluster._binaries() / n) for n in ("postgres", "pg_isready")}}
        return [found.get(command[0], command[0]), *command[1:]]

    def _local(self, text: str, service: str) -> str:
        """The same on this machine: no other host, the ports that are free, folders for volumes."""
        text = ADDRESS.sub(lambda found: f"127.0.0.1:{self.ports[found.group(1), found.group(2)]}", text)
        text = text.replace("$$", "$").replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - taken out, not put in
        text = text.replace("--port 6379", "--port 6379 --bind 127.0.0.1")
        for (_, port), free in self.ports.items():
            text = re.sub(rf"(?<!\d){port}(?!\d)", str(free), text)
        for volume in self.services[service].get("volumes", []):
            source, target, *_ = volume.split(":")
            local = source if source.startswith("/") else str(self.root / "volumes" / source)
            if not source.startswith("/"):
                Path(local).mkdir(parents=True, exist_ok=True)
            text = re.sub(rf"{re.escape(target)}(?=/|$|\s)", local, text)
        return text


def tree(record: processes.Record) -> list[psutil.Process]:
    """All processes of a service: the one that was started, and whatever descends from it."""
    leader = psutil.Process(record.pid)
    return [leader, *leader.children(recursive=True)]
