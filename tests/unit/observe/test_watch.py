"""The hook: what a step is told as, and that watching harms nobody."""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path

import pytest
from structlog.contextvars import get_contextvars

from dti import steps
from dti.errors import DtiError
from dti.observe import observed, part
from dti.observe.logs import KEPT_NIGHTS, log_path, night_log
from dti.observe.sending import events_file
from dti.settings import Settings

NIGHT = date(2026, 6, 30)
BATCH = "dvc-x.2026-06-30.20260701T000000000000Z"
log = logging.getLogger("dti.anything")


@observed("extract")
def pull(source_id: str, night: date, *, settings: Settings | None = None) -> dict[str, str]:
    log.info("before the batch")
    steps.note(feed="staffing", batch_id=BATCH)
    log.info("within the batch")
    return {"batch_id": BATCH}


@observed("gate")
def outer(feed: str, night: date, *, fault: BaseException | None = None, settings: Settings | None = None) -> None:
    def inner(*, settings: Settings) -> None:
        log.info("inside")
        if fault is not None:
            raise fault

    part("anything", inner)(settings=settings or Settings())
    log.info("outside again")


def lines(settings: Settings) -> list[dict[str, object]]:
    return [json.loads(line) for line in log_path(NIGHT, settings).read_text("utf-8").splitlines()]


def events(settings: Settings) -> list[dict]:
    path = events_file(NIGHT.isoformat(), settings)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_every_line_of_a_step_says_which_step_it_is(settings: Settings) -> None:
    with night_log(NIGHT, settings):
        pull("dvc-x", NIGHT, settings=settings)
        log.info("between steps")
    before, within = (
        next(x for x in lines(settings) if x["event"] == text) for text in ("before the batch", "within the batch")
    )
    assert before["step"] == within["step"] == "extract"
    assert (before["source"], before["night"]) == ("dvc-x", "2026-06-30")
    assert "batch_id" not in before
    assert (within["batch_id"], within["feed"]) == (BATCH, "staffing")
    assert within["duration_seconds"] >= 0
    starts, ends = lines(settings)[0], lines(settings)[3]
    assert (starts["event"], str(ends["event"])[:12], ends["batch_id"]) == ("extract starts", "extract ends", BATCH)
    assert "step" not in lines(settings)[-1]
    assert get_contextvars() == {}


def test_a_part_is_of_the_feed_and_night_around_it(settings: Settings) -> None:
    with night_log(NIGHT, settings):
        outer("staffing", NIGHT, settings=settings)
    told = {str(line["event"]): line for line in lines(settings)}
    assert (told["inside"]["step"], told["inside"]["feed"]) == ("anything", "staffing")
    assert told["outside again"]["step"] == "gate"


def test_a_fault_is_told_in_our_words_only(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "tOp-SeCrEt/4711+x"
    monkeypatch.setenv("AIRFLOW_CONN_X", json.dumps({"login": "me", "password": secret}))
    ours = DtiError(f"the agency said {secret}, call 0912 345 678", where="dvc-x", remedy="ask")
    for fault, said in (
        (ours, "dvc-x: the agency said ***"),
        (ValueError(f"{secret} of Nguyễn"), "unexpected ValueError"),
    ):
        with pytest.raises(type(fault)), night_log(NIGHT, settings):
            outer("staffing", NIGHT, fault=fault, settings=settings)
        written = log_path(NIGHT, settings).read_text("utf-8") + events_file("2026-06-30", settings).read_text("utf-8")
        assert said in written
        assert not {secret, "Nguyễn", "345 678"} & {text for text in (secret, "Nguyễn", "345 678") if text in written}
    failed = [e for e in events(settings) if e["eventType"] == "FAIL"]
    assert failed[0]["run"]["facets"]["errorMessage"]["message"].startswith("dvc-x: the agency said ***")


def test_a_traceback_that_a_library_logs_is_left_out(settings: Settings) -> None:
    with night_log(NIGHT, settings):
        try:
            raise ValueError("Nguyễn Văn A, 0912345678")
        except ValueError:
            logging.getLogger("library").exception("it broke at 0912345678")
        logging.getLogger("library").info("chatter")
    [line] = lines(settings)
    assert line["event"] == "it broke at …"
    assert "Nguyễn" not in json.dumps(line, ensure_ascii=False)


def test_what_fails_in_watching_harms_no_step(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (settings.home_dir / "lineage").write_text("a file where a folder should be")
    assert pull("dvc-x", NIGHT, settings=settings) == {"batch_id": BATCH}
    assert "while watching; the step goes on" in caplog.text


def test_a_step_repeated_for_the_same_batch_is_the_same_run(settings: Settings) -> None:
    for _ in range(2):
        pull("dvc-x", NIGHT, settings=settings)
    assert [e["eventType"] for e in events(settings)] == ["START", "COMPLETE", "START", "COMPLETE"]
    assert len({(e["job"]["name"], e["run"]["runId"]) for e in events(settings)}) == 1


def test_lineage_is_switched_off_by_its_own_variable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    pull("dvc-x", NIGHT, settings=settings)
    assert not (settings.home_dir / "lineage").exists()


def test_logs_of_old_nights_go(settings: Settings) -> None:
    folder = settings.home_dir / "logs"
    folder.mkdir()
    for number in range(KEPT_NIGHTS + 5):
        (folder / f"dti-night-{date.fromordinal(739000 + number)}.jsonl").touch()
    other = folder / "night-2026-01-01.log"
    other.touch()
    with night_log(NIGHT, settings):
        pass
    assert len(list(folder.glob("dti-night-*"))) == KEPT_NIGHTS
    assert other.exists()


def test_warnings_still_reach_the_screen(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    held, root.handlers[:] = root.handlers[:], []
    try:
        with night_log(NIGHT, settings):
            log.info("only in the file")
            log.warning("on the screen too")
    finally:
        root.handlers[:] = held
    assert capfd.readouterr().err == "on the screen too\n"
    assert [line["event"] for line in lines(settings)] == ["only in the file", "on the screen too"]


def test_the_hook_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    seen = "import sys, dti.flow; print(*sorted(m for m in sys.modules))"
    modules = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"sqlglot", "openlineage", "openlineage.client", "opentelemetry.sdk", "sqlalchemy", "duckdb", "pandas"}
    assert heavy & {*modules} == set()


def test_the_log_is_a_file_of_the_night(settings: Settings) -> None:
    with night_log(NIGHT, settings) as path:
        assert path == settings.home_dir / Path("logs/dti-night-2026-06-30.jsonl")
