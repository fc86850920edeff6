"""docker-compose.yaml against what it starts: every command, variable, port, volume and dependency in it is real."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import typer
import yaml

import dti_airflow.__main__
import sandbox.__main__
from dti.settings import Settings
from dti.warehouse.bootstrap import DATABASES
from dti.warehouse.cluster_conf import configuration
from dti_airflow.health import SANDBOX
from dti_airflow.services import AIRFLOW_COMMANDS, COMPONENTS, WORKER
from tests.builders.compose import EXAMPLE, FILE, REQUIRED, config, render, variables
from tests.conftest import PROJECT

SCHEMA = Path("/usr/lib/python3/dist-packages/compose/config/compose_spec.json")
"""The compose specification as docker-compose carries it."""
TEXT = FILE.read_text("utf-8")
MUST = set(re.findall(r"\$\{(DTI_\w+):\?", TEXT))
IMAGE = (PROJECT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
PROGRAMS = {"dti_airflow": dti_airflow.__main__.app, "sandbox": sandbox.__main__.app}
ONCE = {"init", "sandbox-night"}
"""What does its work and ends."""
BINARIES = {"postgres", "pg_isready", "redis-cli", "sh"}

ASK_AIRFLOW = """
import json, sys
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
from airflow.utils.providers_configuration_loader import providers_configuration_loaded
asked = json.load(sys.stdin)
conf.load_providers_configuration()
options = {f"AIRFLOW__{s}__{o}".upper() for s, d in conf.configuration_description.items() for o in d["options"]}
for arguments in asked["commands"]:
    get_parser().parse_args(arguments)
print(json.dumps(sorted(set(asked["variables"]) - options)))
"""


@pytest.fixture(scope="module")
def env() -> dict[str, str]:
    return variables("/srv/dti/sources")


@pytest.fixture(scope="module")
def services(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    return render(env, tmp_path_factory.mktemp("rendered"), "celery", "sandbox")["services"]


@pytest.mark.parametrize("profiles", [(), ("celery", "sandbox")])
def test_compose_accepts_every_profile(env: dict[str, str], tmp_path: Path, profiles: tuple[str, ...]) -> None:
    done = config(env, tmp_path, *profiles)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_keeps_the_specification() -> None:
    jsonschema.validate(yaml.safe_load(TEXT), json.loads(SCHEMA.read_text("utf-8")))


@pytest.mark.parametrize("name", ["DTI_SOURCES_DIR", "DTI_JWT_SECRET", "DTI_POSTGRES_PASSWORD"])
def test_it_is_refused_with_the_remedy_while_a_variable_is_not_set(
    env: dict[str, str], tmp_path: Path, name: str
) -> None:
    done = config({k: "" if k == name else v for k, v in env.items()}, tmp_path)
    assert done.returncode == 1
    assert f"set {name} in .env" in done.stderr


def test_every_variable_that_must_be_set_says_so_and_stands_in_the_example() -> None:
    assert set(re.findall(r"\$\{(DTI_\w+):\?set \1 in \.env", TEXT)) == MUST
    assert {name for name in REQUIRED if name != "DTI_SANDBOX_SECRET"} == MUST


def test_no_secret_has_a_default_and_none_stands_in_a_file() -> None:
    secret = r"PASSWORD|SECRET|KEY"
    defaults = [name for name, value in re.findall(r"\$\{(\w+):?-([^}]*)\}", TEXT) if re.search(secret, name) and value]
    assert defaults == []
    assert not [line for line in EXAMPLE.read_text().splitlines() if re.match(rf"#?\w*({secret})\w*=.+", line)]


def test_new_env_makes_other_secrets_each_time_and_never_over_those_in_use(tmp_path: Path) -> None:
    made = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        (folder / "deploy").mkdir(parents=True)
        script = folder / "deploy" / "new-env"
        script.write_bytes((PROJECT / "deploy" / "new-env").read_bytes())
        (folder / ".env.example").write_bytes(EXAMPLE.read_bytes())
        assert subprocess.run(["sh", script, "/srv/dti/sources"], capture_output=True).returncode == 0
        assert subprocess.run(["sh", script], capture_output=True).returncode == 1, "the old one is kept"
        assert (folder / ".env").stat().st_mode & 0o777 == 0o600
        made.append(dict(re.findall(r"^(\w+)=(.*)$", (folder / ".env").read_text(), re.MULTILINE)))
    first, second = made
    assert first.pop("DTI_SOURCES_DIR") == second.pop("DTI_SOURCES_DIR") == "/srv/dti/sources"
    assert set(first) == set(REQUIRED) - {"DTI_SOURCES_DIR"}
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{20,}=?", value) for value in first.values())
    assert not set(first.values()) & set(second.values())
    assert len(set(first.values())) == len(first)
    from cryptography.fernet import Fernet

    Fernet(first["DTI_FERNET_KEY"])


def test_every_command_exists_and_takes_its_arguments(services: dict[str, dict]) -> None:
    commands = [s["command"] for s in services.values()]
    commands += [s["healthcheck"]["test"][1:] for s in services.values() if "healthcheck" in s]
    for command in commands:
        if command[:2] == ["python", "-m"]:
            parses(PROGRAMS[command[2]], command[3:])
        else:
            assert command[0].split()[0] in BINARIES, command
    served = {c[4] for c in commands if c[2:4] == ["dti_airflow", "serve"]}
    assert served == set(AIRFLOW_COMMANDS)
    assert {c[4] for c in commands if c[2:4] == ["dti_airflow", "healthy"]} == {*COMPONENTS, WORKER, SANDBOX}


def parses(app: typer.Typer, arguments: list[str]) -> None:
    """Whether a command of ours takes these arguments, down to the last; nothing is run."""
    group = typer.main.get_command(app)
    with group.make_context("ours", list(arguments[:1]), resilient_parsing=True) as above:
        command = group.get_command(above, arguments[0])
        assert command is not None, arguments
        given = {"SANDBOX_CLIENT_ID": "x", "SANDBOX_CLIENT_SECRET": "x"}
        before = dict(os.environ)
        os.environ.update(given)
        try:
            command.make_context(arguments[0], list(arguments[1:]), parent=above)
        finally:
            os.environ.clear()
            os.environ.update(before)


def test_airflow_knows_every_option_and_command(services: dict[str, dict], tmp_path: Path) -> None:
    names = {name for s in services.values() for name in s.get("environment", {}) if name.startswith("AIRFLOW__")}
    assert len(names) > 10
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path)}
    environment |= {k: v for k, v in services["scheduler"]["environment"].items() if k.startswith("AIRFLOW__")}
    environment |= {"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"}
    asked = {"commands": list(AIRFLOW_COMMANDS.values()), "variables": sorted(names)}
    done = subprocess.run(
        [sys.executable, "-c", ASK_AIRFLOW], input=json.dumps(asked), env=environment, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_every_variable_of_ours_is_read_by_somebody(services: dict[str, dict]) -> None:
    names = {
        name for s in services.values() for name in s.get("environment", {}) if name.startswith(("DTI_", "SANDBOX"))
    }
    code = "".join(p.read_text("utf-8") for folder in ("src", "sandbox") for p in (PROJECT / folder).rglob("*.py"))
    settings = {f"DTI_{name.upper()}" for name in Settings.model_fields}
    sources = "".join(p.read_text("utf-8") for p in (PROJECT / "include" / "sources").rglob("*.yml"))
    assert [n for n in sorted(names) if n not in settings and f'"{n}"' not in code and f"${{{n}:" not in sources] == []


def test_each_process_works_on_the_two_databases_as_their_own_logins(services: dict[str, dict]) -> None:
    logins = set()
    for name, service in services.items():
        given = service.get("environment", {})
        for value in given.values():
            logins |= set(re.findall(r"postgresql\S*://(\w+):[^@]+@postgres:5432/(\w+)", str(value)))
        assert ("DTI_SUPERUSER_URL" in given) == (name == "init"), name
        assert ("DTI_ADMIN_PASSWORD" in given) == (name in ONCE), name
    made = {(role, database) for database, roles in DATABASES.items() for role in roles}
    assert logins - {("postgres", "postgres")} == made - {("dti_loader", "dti")}


def test_postgresql_is_told_what_the_embedded_one_is_told(services: dict[str, dict], tmp_path: Path) -> None:
    told = dict(part.split("=", 1) for part in services["postgres"]["command"] if "=" in part)
    ours = dict(re.findall(r"^(\w+) = '(.*)'$", configuration(tmp_path), re.MULTILINE))
    by_machine = {"shared_buffers"}
    assert {k: v for k, v in told.items() if k not in by_machine} == {k: ours[k] for k in told if k not in by_machine}


def test_only_the_pages_are_open_and_to_this_machine_alone(services: dict[str, dict]) -> None:
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == {
        "api-server": ["127.0.0.1:8080:8080/tcp"]
    }
    networks = yaml.safe_load(TEXT)["networks"]
    for name in ("postgres", "redis"):
        assert [networks[n].get("internal") for n in services[name]["networks"]] == [True], name


def test_what_a_service_waits_for_can_come_true(services: dict[str, dict]) -> None:
    always = {name for name, service in services.items() if not service.get("profiles")}
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            together = always | {n for n in services if services[n].get("profiles") == service.get("profiles")}
            assert other in together, f"{name} waits for {other}, which another profile starts"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], other
            else:
                assert (how["condition"], services[other]["restart"]) == ("service_completed_successfully", "no")


def test_every_service_is_bounded_and_comes_back(services: dict[str, dict]) -> None:
    for name, service in services.items():
        assert service["mem_limit"], name
        assert service["restart"] == ("no" if name in ONCE else "unless-stopped"), name
        assert ("healthcheck" in service) == (name not in ONCE), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["logging"]["options"]["max-size"], name


def test_volumes_are_where_image_and_settings_look(services: dict[str, dict]) -> None:
    named = set(yaml.safe_load(TEXT)["volumes"])
    assert named == {"postgres", "redis", "home"}
    for name, service in services.items():
        for volume in service["volumes"]:
            source, target, mode = volume.split(":")
            assert source in named or source.startswith("/"), volume
            assert mode == ("rw" if source in named else "ro"), volume
            if source == "home":
                assert target == service["environment"]["DTI_HOME"], name
                assert f"VOLUME {target}" in IMAGE
    given = services["scheduler"]["environment"]
    assert given["DTI_SOURCES"] == "/etc/dti/sources"
    assert Path(given["DTI_NOTIFY"]).parent == Path("/etc/dti/site")
    assert (PROJECT / "deploy" / "site").is_dir()


def test_the_image_copies_what_is_there_and_what_is_not_ignored() -> None:
    copied = [c.split()[:-1] for c in re.findall(r"^COPY (?!--from)(.+)$", IMAGE, re.MULTILINE)]
    sources = {source for each in copied for source in each}
    assert {"src", "dags", "plugins", "include", "expectations", "migrations", "sandbox", "uv.lock"} <= sources
    assert [source for source in sources if not (PROJECT / source).exists()] == []
    lines = (PROJECT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == sources, "nothing else is sent to the builder"


def test_the_image_is_locked_pinned_and_nobody_special(services: dict[str, dict]) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = set(re.findall(r'^ARG EXTRAS="(.*)"$', IMAGE, re.MULTILINE))
    assert extras == {services["init"]["build"]["args"]["EXTRAS"]}
    assert set(extras.pop().split()) <= set(project["optional-dependencies"])
    for line in re.findall(r"^RUN (uv sync.*)$", IMAGE, re.MULTILINE):
        assert "--locked" in line
        assert "--no-default-groups" in line
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.11\.\d+-slim-\w+$", IMAGE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", IMAGE, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    assert IMAGE.rfind("USER dti") > IMAGE.rfind("RUN ")
    for service in ("postgres", "redis"):
        assert re.fullmatch(r"\w+:\d+(\.\d+)+-\w+", services[service]["image"]), service
