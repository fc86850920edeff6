"""What docker-compose.yaml starts, started as plain processes: it asks who is there, and a night survives a worker."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import date
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import requests
from pytest_httpserver import HTTPServer

from dti import flow
from dti.settings import Settings
from dti.warehouse.alone import feed_alone
from dti_airflow import processes
from tests.builders import two_feeds
from tests.builders.airflow import Airflow, until
from tests.builders.compose import Stack, render, tree, variables
from tests.builders.contents import contents
from tests.builders.watching import Collector
from tests.conftest import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
INGEST = [f"ingest_{feed}" for feed in two_feeds.FEEDS]
INDEX, QUESTION = "compute_indices", "asks_a_person"
LONG_RUNNING = ("redis", "sandbox", "api-server", "scheduler", "dag-processor", "triggerer")
OVER = ("success", "failed")
WORKERS = ("worker-1", "worker-2")


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[str, Collector]]:
    """What takes metrics over OTLP, and its address."""
    taken = Collector()
    with HTTPServer(host="127.0.0.1") as server:
        server.expect_request("/v1/metrics", method="POST").respond_with_handler(taken.take)
        yield server.url_for("").rstrip("/"), taken


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory, collector: tuple[str, Collector]) -> dict[str, str]:
    project = two_feeds.a_project(tmp_path_factory.mktemp("project"))
    (project / "plugins").symlink_to(PROJECT / "plugins")
    (project / "dags").mkdir()
    for dag in [*INGEST, INDEX]:
        (project / "dags" / f"{dag}.py").symlink_to(PROJECT / "dags" / f"{dag}.py")
    shutil.copy(PROJECT / "tests" / "builders" / f"{QUESTION}.py", project / "dags")
    return variables(
        project / "include" / "sources",
        DTI_EXECUTOR="CeleryExecutor",
        DTI_RETRY_SECONDS="0",
        DTI_LOST_TASK_SECONDS="20",
        DTI_QUEUED_TASK_SECONDS="60",
        DTI_SANDBOX_CLOCK="2026-07-01T02:00",
        DTI_WORKER_CONCURRENCY="2",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector[0],
    )


@pytest.fixture(scope="module")
def stack(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All services, with two workers; gone at the end in any case."""
    tmp = tmp_path_factory.mktemp("stack")
    services = render(env, tmp, "celery", "sandbox")["services"]
    made = Stack(services, Path(env["DTI_SOURCES_DIR"]).parents[1], tmp)
    try:
        for service in LONG_RUNNING:
            made.up(service)
        for worker in WORKERS:
            made.up("worker", worker)
        yield made
    finally:
        made.down()


@pytest.fixture(scope="module")
def airflow(stack: Stack, env: dict[str, str]) -> Airflow:
    """The API, as the admin that ``init`` made."""
    stack.wait("api-server")
    url = stack.url("api-server", "8080")
    login = {"username": "admin", "password": env["DTI_ADMIN_PASSWORD"]}
    answer = requests.post(f"{url}/auth/token", json=login, timeout=60)
    assert answer.status_code == 201, answer.text
    return Airflow(url, answer.json()["access_token"])


def asked_run(airflow: Airflow, dag_id: str) -> dict:
    """The run that the service sandbox-night asks for; nothing before."""
    runs = [run for run in airflow.runs(dag_id) if run["dag_run_id"].startswith("asked__")]
    return runs[0] if runs else {}


def at_work(airflow: Airflow, task_id: str) -> tuple[str, dict]:
    """A task of that name that is running, and its DAG; waited for."""
    found: list[tuple[str, dict]] = []

    def running() -> bool:
        for dag_id in INGEST:
            run = asked_run(airflow, dag_id)
            tasks = airflow.tasks(dag_id, run["dag_run_id"]) if run else []
            found.extend((dag_id, t) for t in tasks if (t["task_id"], t["state"]) == (task_id, "running") and t["pid"])
        return bool(found)

    until(lambda: set(INGEST) <= set(airflow.dags()), 180, "the DAGs")
    until(running, 240, f"{task_id} at work")
    return found[0]


def test_a_night_whose_worker_is_killed_in_mid_task_ends_once_and_whole(
    airflow: Airflow, stack: Stack, env: dict[str, str], warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Settings(
        project=stack.project,
        home=stack.home,
        sources=Path(env["DTI_SOURCES_DIR"]),
        warehouse_url=stack.environment("init")["DTI_WAREHOUSE_URL"],
    )
    with ExitStack() as held:  # a gate waits for whoever else is at its feed: it is at work for as long as this is held
        for feed in two_feeds.FEEDS:
            held.enter_context(feed_alone(feed, ours))
        asking = stack.begin("sandbox-night")
        dag_id, task = at_work(airflow, "gate")
        kill_whose(task, stack)
    night = date.fromisoformat(asked_run(airflow, dag_id)["conf"]["night"])
    alone = the_same_by_the_library(stack, env, night, warehouse, monkeypatch)
    assert asking.wait(400) == 0, stack.log("sandbox-night")
    assert f"run night-{night}." in (stack.root / "sandbox-night.log").read_text("utf-8")
    assert {dag: asked_run(airflow, dag)["state"] for dag in INGEST} == dict.fromkeys(INGEST, "success")
    tries = {t["task_id"]: t["try_number"] for t in airflow.tasks(dag_id, asked_run(airflow, dag_id)["dag_run_id"])}
    assert tries["gate"] == 2, "the task was not the killed worker's"

    until(
        lambda: all(run["state"] in OVER for dag in INGEST for run in airflow.runs(dag)), 200, "what the clock brought"
    )
    assert contents(ours, two_feeds.FEEDS, night) == contents(alone, two_feeds.FEEDS, night)
    with psycopg.connect(stack.environment("init")["DTI_WAREHOUSE_URL"]) as connection:
        counts = connection.execute(
            "select b.source_id, b.rows_landed, b.rows_loaded, count(q.*) from ops.batch as b"
            " left join ops.quarantine as q using (batch_id) where b.night = %s group by b.batch_id",
            [night],
        ).fetchall()
    pulls = {source: len(airflow.runs(dag)) for dag, source in zip(INGEST, two_feeds.SOURCES, strict=True)}
    assert Counter(source for source, *_ in counts) == pulls, (
        "one batch a run: a source was loaded twice, or not at all"
    )
    for source, landed, loaded, quarantined in counts:
        assert landed == loaded + quarantined > 0, source


def kill_whose(task: dict, stack: Stack) -> None:
    """Kill, with all that belongs to it, the worker whose task this is."""
    [worker] = [name for name in WORKERS if task["pid"] in [process.pid for process in tree(stack.records[name])]]
    killed = tree(stack.records[worker])
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=10)
    assert stack.records[worker].members() == []


def the_same_by_the_library(
    stack: Stack, env: dict[str, str], night: date, warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The same night without Airflow, in another warehouse."""
    for name in ("DTI_SANDBOX_URL", "AIRFLOW_CONN_SANDBOX"):
        monkeypatch.setenv(name, stack.environment("scheduler")[name])
    alone = Settings(
        project=stack.project, home=warehouse.home, sources=Path(env["DTI_SOURCES_DIR"]),
        pseudonym_key=env["DTI_PSEUDONYM_KEY"],
    )  # fmt: skip
    flow.prepare(alone)
    for feed, source in zip(two_feeds.FEEDS, two_feeds.SOURCES, strict=True):
        flow.extract(source, night, settings=alone)
        flow.gate(feed, night, settings=alone)
        flow.load(feed, night, settings=alone)
    flow.compute(night, settings=alone)
    return alone


def test_a_person_decides_with_a_token_and_stands_in_the_record(airflow: Airflow) -> None:
    until(lambda: QUESTION in airflow.dags(), 180, "the DAG")
    run_id = airflow.ask(f"dags/{QUESTION}/dagRuns", "POST", logical_date=None)["dag_run_id"]
    path = f"dags/{QUESTION}/dagRuns/{run_id}"

    def states() -> dict[str, str]:
        return {task["task_id"]: task["state"] for task in airflow.tasks(QUESTION, run_id)}

    until(lambda: states().get("decide") == "awaiting_input", 120, "the question")
    answer = {"chosen_options": ["Approve"], "params_input": {"note": "seen"}}
    answering = f"{airflow.url}/api/v2/{path}/taskInstances/decide/-1/hitlDetails"
    assert requests.patch(answering, json=answer, timeout=30).status_code == 401
    airflow.ask(f"{path}/taskInstances/decide/-1/hitlDetails", "PATCH", **answer)
    until(lambda: airflow.ask(path)["state"] in OVER, 120, "the end of the run")
    assert states() == {"decide": "success", "publish": "success", "keep_candidate": "skipped"}
    decision = airflow.ask(f"{path}/taskInstances/decide/xcomEntries/decision?map_index=-1")["value"]
    assert "admin" in str(decision)
    assert "seen" in str(decision)


def test_metrics_of_airflow_and_of_the_night_reach_the_collector(
    airflow: Airflow, collector: tuple[str, Collector]
) -> None:
    wanted = {"airflow.scheduler_heartbeat", "dti.step.duration", "dti.source.rows", "dti.index.coverage"}
    _, taken = collector
    until(lambda: wanted <= taken.units.keys(), 90, "Airflow's metrics, which it sends once a minute")


def test_pages_and_api_ask_for_a_login(airflow: Airflow, env: dict[str, str]) -> None:
    page = f"{airflow.url}/dti/"
    assert requests.get(page, timeout=60).status_code == 401
    assert requests.get(page, cookies={"_token": "made-up"}, timeout=60).status_code in (401, 403)
    shown = requests.get(page, cookies={"_token": airflow.token}, timeout=60)
    assert (shown.status_code, "Publications" in shown.text) == (200, True), shown.text
    assert requests.get(f"{airflow.url}/api/v2/dags", timeout=60).status_code == 401
    for login in ({"username": "admin", "password": "admin"}, {"username": "admin", "password": ""}):
        assert requests.post(f"{airflow.url}/auth/token", json=login, timeout=60).status_code in (400, 401, 422)


def test_postgresql_and_redis_ask_for_a_password(stack: Stack, env: dict[str, str]) -> None:
    port = stack.ports["postgres", "5432"]
    for login, database in (
        ("postgres", "postgres"),
        ("dti_owner", "dti"),
        ("dti_analyst", "dti"),
        ("airflow", "airflow"),
    ):
        for password in ("", "wrong"):
            with pytest.raises(psycopg.OperationalError, match=r"no password|authentication failed"):
                psycopg.connect(host="127.0.0.1", port=port, user=login, password=password, dbname=database)
    superuser = psycopg.connect(stack.environment("init")["DTI_SUPERUSER_URL"])
    with superuser:
        kept = superuser.execute("select count(*) from pg_authid where rolcanlogin and rolpassword !~ '^SCRAM-SHA-256'")
        assert kept.fetchone() == (0,)
        assert superuser.execute("select distinct auth_method from pg_hba_file_rules").fetchall() == [
            ("scram-sha-256",)
        ]
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(host="127.0.0.1", port=port, user="airflow", password=env["DTI_AIRFLOW_PASSWORD"], dbname="dti")
    with psycopg.connect(stack.environment("init")["DTI_ANALYST_URL"]) as analyst:
        assert analyst.execute("select count(*) from marts.run").fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute("select * from ops.batch")
    with psycopg.connect(stack.environment("init")["DTI_SUPERUSER_URL"], dbname="dti") as superuser:
        assert superuser.execute("select count(*) from guard.seal").fetchone() == (1,), "publications are sealed"
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=stack.ports["redis", "6379"]).ping()


def test_nothing_else_listens_and_no_secret_stands_in_the_list_of_processes(stack: Stack, env: dict[str, str]) -> None:
    heard, told = set(), ""
    for process in (process for record in stack.records.values() for process in record.members()):
        with suppress(psutil.NoSuchProcess):  # tasks come and go
            heard |= {c.laddr for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN}
            told += " ".join(process.cmdline()) + "\n"
    assert {address.ip for address in heard} == {"127.0.0.1"}
    assert {address.port for address in heard} == set(stack.ports.values())
    assert "redis-server" in told
    given = {name: value for name, value in env.items() if re.search("PASSWORD|SECRET|KEY", name)}
    assert [name for name, secret in given.items() if secret in told] == []


def test_health_checks_tell_the_living_from_the_dead(stack: Stack) -> None:
    for service in ("scheduler", "dag-processor", "triggerer"):  # the others were asked before anything began
        stack.wait(service, 60)
    [worker] = [name for name in WORKERS if stack.records[name].leader()]
    until(lambda: stack.is_healthy("worker"), 180, "the worker's answer")
    for process in tree(stack.records[worker]):
        process.kill()
    assert not stack.is_healthy("worker")


def test_down_leaves_no_process(stack: Stack) -> None:
    sessions: list[processes.Record] = list(stack.records.values())
    stack.down()
    assert [process for record in sessions for process in record.members()] == []
