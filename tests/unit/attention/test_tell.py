"""One message a cause: when it appears, changes, lasts and is gone; by webhook, against a server that answers."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Response

from dti import flow
from dti.attention import tell as telling
from dti.attention.channels import ChannelError
from dti.errors import ConfigError
from tests.unit.attention.conftest import NIGHT

DAY = timedelta(days=1)
DEAD, ALIVE = "dvc-ca-mau", "dvc-dak-lak"
KEY = f"source_failed/{DEAD}"
CANARY = "canary-T0CKEN-4711"


@pytest.fixture
def hook(httpserver: HTTPServer) -> HTTPServer:
    """A chat program that takes everything."""
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    return httpserver


def channel(server: HTTPServer, **changes: object) -> dict[str, object]:
    return {"name": "on-duty", "type": "webhook", "address": server.url_for("/hook"), **changes}


def messages(server: HTTPServer, key: str = KEY) -> list[dict]:
    sent = [json.loads(request.data) for request, _ in server.log]
    return [message["dti"] for message in sent if message["dti"]["key"] == key]


def a_night(world, night, *, dead=True) -> None:
    """One night with all agencies but, when ``dead``, one."""
    world.passed(ALIVE, night)
    world.passed("tthc-dak-lak", night, feed="service_catalogue")
    (world.failed if dead else world.passed)(DEAD, night)


def test_one_message_for_a_cause_over_three_nights_and_one_when_it_is_gone(world, hook):
    world.notify(channel(hook))
    a_night(world, NIGHT)  # never delivered anything: critical from the start
    told = [world.tell(NIGHT)["told"]["on-duty"]]
    told.append(world.tell(NIGHT)["told"]["on-duty"])
    for later in (1, 2):
        a_night(world, NIGHT + later * DAY)
        told.append(world.tell(NIGHT + later * DAY)["told"]["on-duty"])
    assert told == [1, 0, 0, 0]
    a_night(world, NIGHT + 3 * DAY, dead=False)
    assert world.tell(NIGHT + 3 * DAY)["told"] == {"on-duty": 1}
    assert world.tell(NIGHT + 3 * DAY)["told"] == {"on-duty": 0}
    assert [message["told"] for message in messages(hook)] == ["new", "resolved"]
    a_night(world, NIGHT + 4 * DAY)
    world.tell(NIGHT + 4 * DAY)
    assert [message["told"] for message in messages(hook)] == ["new", "resolved", "new"]


def test_it_is_told_again_when_it_grows_worse_or_lasts(world, hook):
    world.notify(channel(hook), remind_after_days=7)
    a_night(world, NIGHT, dead=False)
    for later in (1, 2, 8, 9, 10):
        a_night(world, NIGHT + later * DAY)
        world.tell(NIGHT + later * DAY)
    found = [(message["told"], message["severity"]) for message in messages(hook)]
    assert found == [("new", "warning"), ("changed", "critical"), ("reminder", "critical")]


def test_what_a_message_says(world, hook):
    world.notify(channel(hook, language="both"))
    a_night(world, NIGHT)
    world.tell()
    request, _ = hook.log[0]
    sent = json.loads(request.data)
    assert set(sent) == {"text", "dti"}
    for part in (
        "nghiêm trọng: Cổng Dịch vụ công tỉnh Cà Mau (mô phỏng): không lấy được số liệu",
        "critical: Cổng Dịch vụ công tỉnh Cà Mau (mô phỏng): did not deliver",
        "Owner: Sở Khoa học và Công nghệ tỉnh Cà Mau",
        "Since the night of: 2026-03-01",
        "no answer in 30 s",
        "Effect on the index:",
        "Ảnh hưởng tới chỉ số:",
        "Remedy: ask the agency",
        "Runbook: docs/runbooks/dead-agency.md",
    ):
        assert part in sent["text"]
    assert sent["dti"]["id"] == request.headers["X-DTI-Message"]


def test_without_a_file_nobody_is_told_and_it_is_known_all_the_same(world):
    a_night(world, NIGHT)
    assert world.tell() == {"causes": [KEY], "told": {}, "failed": {}}
    assert [row["key"] for row in world.ask("select key from ops.notice where resolved_at is null")] == [KEY]


def test_two_processes_at_once_tell_it_once(world, hook):
    world.notify(channel(hook))
    a_night(world, NIGHT)
    with ThreadPoolExecutor(4) as pool:
        told = [each["told"]["on-duty"] for each in pool.map(lambda _: world.tell(), range(4))]
    assert sorted(told) == [0, 0, 0, 1]
    assert len(messages(hook)) == 1


def test_a_channel_that_fails_is_tried_the_next_time_and_the_others_are_told(world, hook):
    hook.expect_request("/broken", method="POST").respond_with_data("no", status=403)
    world.notify(channel(hook), channel(hook, name="chief", address=hook.url_for("/broken")))
    a_night(world, NIGHT)
    done = world.tell()
    assert done["told"] == {"on-duty": 1, "chief": 0}
    assert "HTTP 403" in done["failed"]["chief"]
    cause = world.causes()["channel_failed/chief"]
    assert "HTTP 403" in cause.what.en
    world.tell(hours=2.8)  # on-duty hears that the chief does not
    assert [message["told"] for message in messages(hook, "channel_failed/chief")] == ["new"]

    world.notify(channel(hook), channel(hook, name="chief", address=hook.url_for("/hook")))
    assert world.tell(hours=3)["told"]["chief"] == 1
    assert "channel_failed/chief" not in world.causes()
    world.tell(hours=3.2)
    assert [message["told"] for message in messages(hook, "channel_failed/chief")] == ["new", "resolved"]


def test_what_is_gone_before_anybody_could_be_told_is_not_told_and_blames_no_channel(world, httpserver):
    httpserver.expect_request("/hook", method="POST").respond_with_data("no", status=400)
    world.notify(channel(httpserver))
    a_night(world, NIGHT)
    world.tell()
    assert "channel_failed/on-duty" in world.causes()
    a_night(world, NIGHT + DAY, dead=False)
    assert world.tell(NIGHT + DAY)["failed"] == {}
    assert world.causes() == {}


def test_a_channel_that_reaches_only_some_is_a_cause_until_it_reaches_all(world, monkeypatch):
    from dti.attention import mail

    part = ChannelError("1 of 2 recipients were refused", where="office", remedy="check the addresses under to")
    outcome = [part]
    monkeypatch.setattr(mail, "send", lambda *_: outcome[0])
    world.notify(
        {
            "name": "office",
            "type": "mail",
            "host": "localhost",
            "sender": "a@b",
            "to": ["c@d", "e@f"],
            "security": "none",
        }
    )
    a_night(world, NIGHT)
    done = world.tell()
    assert (done["told"], done["failed"]) == ({"office": 1}, {"office": str(part)})
    assert "1 of 2" in world.causes()["channel_failed/office"].what.en
    assert world.tell()["told"] == {"office": 0}  # those who have it are not told again
    assert "channel_failed/office" in world.causes()
    outcome[0] = None
    a_night(world, NIGHT + DAY, dead=False)
    assert world.tell(NIGHT + DAY)["told"] == {"office": 1}
    assert world.causes() == {}


def test_a_process_killed_after_sending_sends_the_same_message_again(world, hook, monkeypatch):
    world.notify(channel(hook))
    a_night(world, NIGHT)
    with monkeypatch.context() as killed:
        killed.setattr(telling.notice, "taken", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            world.tell()
    assert world.tell()["told"] == {"on-duty": 1}
    assert world.tell()["told"] == {"on-duty": 0}
    assert len({message["id"] for message in messages(hook)}) == 1


def test_an_address_that_is_a_secret_is_shown_nowhere(world, httpserver, caplog):
    caplog.set_level(logging.DEBUG)
    path = f"/services/{CANARY}"
    answer = Response(status=302, headers={"Location": f"/elsewhere/{CANARY}"})
    httpserver.expect_request(path, method="POST").respond_with_response(answer)
    world.secrets["notify_hook"] = httpserver.url_for(path)
    world.notify({"name": "on-duty", "type": "webhook", "connection": "notify_hook"})
    a_night(world, NIGHT)
    done = world.tell()
    assert "HTTP 302" in done["failed"]["on-duty"]
    assert {request.path for request, _ in httpserver.log} == {path}
    ours = [record for record in caplog.records if record.name != "werkzeug"]  # the other side's log
    said = [json.dumps(done), *(record.getMessage() for record in ours)]
    said += [str(row) for table in ("notice", "notice_told") for row in world.ask(f"select * from ops.{table}")]
    said += [cause.model_dump_json() for cause in world.causes().values()]
    assert not [each for each in said if CANARY in each]


def test_a_broken_file_is_a_cause_itself_and_what_there_is_is_noted(world):
    world.settings.notify_file.write_text("channels: [", "utf-8")
    a_night(world, NIGHT)
    with pytest.raises(ConfigError, match="not YAML"):
        world.tell()
    assert "not YAML" in world.causes()["notify_broken"].what.en
    assert {row["key"] for row in world.ask("select key from ops.notice")} == {KEY, "notify_broken"}


def test_nobody_in_a_quarantined_record_is_in_a_message(world, hook):
    world.notify(channel(hook))
    record = {"applicant": "Nguyễn Thị Canary", "identity": "012345678901"}
    line = {
        "row_number": -1, "source_row": "", "key_text": "", "rule": "key", "severity": "critical",
        "reason": "no row has a key", "record": json.dumps(record, ensure_ascii=False),
    }  # fmt: skip
    a_night(world, NIGHT, dead=False)
    world.stopped(ALIVE, NIGHT + DAY, lines=[line])
    world.tell(NIGHT + DAY)
    (message,) = messages(hook, f"batch_stopped/{ALIVE}")
    sent = hook.log[0][0].data.decode()
    assert "no row has a key" in message["what"]["en"]
    assert "Canary" not in sent
    assert "012345678901" not in sent


def test_a_warehouse_that_is_away_is_told_once_and_once_when_it_is_back(world, hook, monkeypatch):
    world.notify(channel(hook))
    gone = world.settings.model_copy(update={"warehouse_url": SecretStr(f"postgresql://dti:{CANARY}@127.0.0.1:9/none")})
    for night in range(3):
        flow.run_failed("compute_indices", f"r{night}", ["compute"], "task_failure", world.lookup, settings=gone)
    assert [message["told"] for message in messages(hook, "warehouse_down")] == ["new"]
    world.tell()
    world.tell()
    assert [message["told"] for message in messages(hook, "warehouse_down")] == ["new", "resolved"]
    assert CANARY not in "".join(request.data.decode() for request, _ in hook.log)


def test_runs_of_ours_that_fail_are_told_once_until_one_succeeds(world, hook):
    world.notify(channel(hook))
    for night in range(3):
        flow.run_failed(
            "compute_indices", f"r{night}", ["compute"], "task_failure", world.lookup, settings=world.settings
        )
    flow.run_succeeded("compute_indices", world.lookup, settings=world.settings)
    flow.run_succeeded("compute_indices", world.lookup, settings=world.settings)
    found = [message["told"] for message in messages(hook, "run_failed/compute_indices")]
    assert found == ["new", "resolved"]
