"""What agencies do on the wire, and what a person is told of it."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from dti.errors import (
    ConfigError,
    SourceBusy,
    SourceError,
    SourceMalformed,
    SourceMissing,
    SourceRefused,
    SourceUnreachable,
)
from dti.sources.http import HttpClient
from dti.sources.pull import PullStats
from dti.sources.read import read
from tests.unit.sources.agency import CREDENTIALS, KEY, WINDOW, Agency, dossier, minute

WHOLE = {"paging": {"style": "none"}}
ONE = {"data": [dossier(1, minute(1))]}


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (401, SourceRefused, "check login and secret"),
        (403, SourceRefused, "check login and secret"),
        (404, SourceMissing, "check the address"),
        (429, SourceBusy, "ask again later"),
        (500, SourceUnreachable, "call the agency"),
        (503, SourceUnreachable, "call the agency"),
        (400, SourceMalformed, "check address, params"),
    ],
)
def test_each_status_is_its_own_error_and_names_source_url_and_remedy(
    httpserver: HTTPServer,
    rest_source: Callable[..., Any],
    pull: Callable[..., Any],
    status: int,
    kind: type,
    remedy: str,
) -> None:
    httpserver.expect_request("/dossiers").respond_with_data("{}", status=status, content_type="application/json")
    with pytest.raises(SourceError, match=remedy) as caught:
        pull(rest_source(**WHOLE, retries=1))
    assert type(caught.value) is kind
    assert caught.value.where == f"dossiers: {httpserver.url_for('/dossiers')}"
    assert str(status) in caught.value.what


def test_errors_that_pass_are_asked_again_and_counted(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    for status in (503, 502):
        httpserver.expect_ordered_request("/dossiers").respond_with_data("", status=status)
    httpserver.expect_ordered_request("/dossiers").respond_with_json(ONE)
    rows, stats = pull(rest_source(**WHOLE))
    assert len(rows) == 1
    assert (stats.requests_count, stats.retries_count) == (3, 2)
    assert stats.bytes_received >= len(json.dumps(ONE))


def test_a_refusal_is_not_asked_again(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    httpserver.expect_request("/dossiers").respond_with_data("", status=403)
    with pytest.raises(SourceRefused):
        pull(rest_source(**WHOLE, retries=5))
    assert len(httpserver.log) == 1


def test_retry_after_is_obeyed(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    httpserver.expect_ordered_request("/dossiers").respond_with_data("", status=429, headers={"Retry-After": "1"})
    httpserver.expect_ordered_request("/dossiers").respond_with_json(ONE)
    began = time.monotonic()
    rows, _ = pull(rest_source(**WHOLE))
    assert len(rows) == 1
    assert time.monotonic() - began >= 1


def test_a_pause_beyond_our_patience_is_not_cut_short(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    httpserver.expect_request("/dossiers").respond_with_data("", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(SourceBusy, match=r"asks to wait 3600 s.*raise max_wait_seconds"):
        pull(rest_source(**WHOLE))
    assert len(httpserver.log) == 1, "asking earlier than told would be rude"


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        ("<!DOCTYPE html><title>Đăng nhập</title>", "text/html", "HTML in place of JSON"),
        ("\n <html><body>bảo trì</body></html>", "application/json", "HTML in place of JSON"),
        (json.dumps(ONE)[:-40], "application/json", r"JSON that breaks off \(truncated\)"),
        ("", "application/json", "truncated"),
        ("[" * 100_000 + "]", "application/json", "not JSON"),
        ("{'data': []}", "text/plain", "not JSON: text/plain"),
        ("[1, 2]", "application/json", "no list of records at 'data'"),
        ('{"data": [1, null]}', "application/json", "2 of 2 records on page 1 are no objects"),
    ],
)
def test_what_is_no_list_of_records_is_malformed_and_never_quoted(
    httpserver: HTTPServer,
    rest_source: Callable[..., Any],
    pull: Callable[..., Any],
    body: str,
    content_type: str,
    message: str,
) -> None:
    httpserver.expect_request("/dossiers").respond_with_data(body, content_type=content_type)
    with pytest.raises(SourceMalformed, match=message) as caught:
        pull(rest_source(**WHOLE))
    assert "/dossiers" in str(caught.value)
    assert "Canary" not in str(caught.value)


def test_a_dead_port_is_unreachable(rest_source: Callable[..., Any], pull: Callable[..., Any]) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/dossiers"
    with pytest.raises(SourceUnreachable, match=f"{address}: connection refused"):
        pull(rest_source(**WHOLE, address=address, retries=1))


def test_an_unknown_name_is_unreachable(rest_source: Callable[..., Any], pull: Callable[..., Any]) -> None:
    with pytest.raises(SourceUnreachable, match=r"agency.invalid/x: its name does not resolve"):
        pull(rest_source(**WHOLE, address="http://agency.invalid/x", retries=0))


def test_redirects_end(httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]) -> None:
    httpserver.expect_request("/dossiers").respond_with_data("", status=302, headers={"Location": "/dossiers"})
    with pytest.raises(SourceMalformed, match=r"redirects without end"):
        pull(rest_source(**WHOLE))


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_post_is_not_turned_into_a_get(status: int, httpserver: HTTPServer, rest_source: Any, pull: Any) -> None:
    moved = {"Location": "/elsewhere"}
    httpserver.expect_request("/dossiers").respond_with_data("", status=status, headers=moved)
    httpserver.expect_request("/elsewhere").respond_with_json({"data": []})
    with pytest.raises(SourceMissing, match=rf"redirects a POST \(HTTP {status}\).*put the address it redirects to"):
        pull(rest_source(**WHOLE, method="POST"))
    assert [request.path for request, _ in httpserver.log] == ["/dossiers"]


def test_a_post_may_be_sent_on_as_a_post(httpserver: HTTPServer, rest_source: Any, pull: Any) -> None:
    moved = {"Location": "/elsewhere"}
    httpserver.expect_request("/dossiers").respond_with_data("", status=307, headers=moved)
    httpserver.expect_request("/elsewhere", method="POST").respond_with_json({"data": []})
    assert pull(rest_source(**WHOLE, method="POST"))[0] == []


@pytest.mark.parametrize("path", ["/dossiers", "/moved"])
def test_no_login_is_taken_from_the_machine(
    path: str, httpserver: HTTPServer, rest_source: Any, pull: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(f"machine {httpserver.host} login root password of-the-machine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    moved = {"Location": httpserver.url_for("/dossiers")}
    httpserver.expect_request("/moved").respond_with_data("", status=302, headers=moved)
    httpserver.expect_request("/dossiers").respond_with_json({"data": []})
    pull(rest_source(**WHOLE, address=httpserver.url_for(path)))
    assert [request.headers.get("Authorization") for request, _ in httpserver.log] == [None] * len(httpserver.log)


@pytest.fixture
def slow_server() -> Iterator[Callable[[bytes, bytes], str]]:
    """Starts a server that sends ``head`` at once and then ``drip`` again and again, ever so slowly."""
    stopped = threading.Event()
    sockets = []

    def start(head: bytes, drip: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        sockets.append(listener)

        def serve() -> None:
            while not stopped.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    try:
                        connection.sendall(head)
                        while not stopped.wait(0.1):
                            connection.sendall(drip)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/dossiers"

    yield start
    stopped.set()
    for listener in sockets:
        listener.close()


@pytest.mark.parametrize(
    ("head", "drip"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n", b"["),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n[", b""),
        (b"", b""),
    ],
    ids=["dripping body", "dripping headers", "stalled body", "silence"],
)
def test_a_slow_agency_cannot_hold_the_night(
    slow_server: Callable[[bytes, bytes], str],
    rest_source: Callable[..., Any],
    pull: Callable[..., Any],
    head: bytes,
    drip: bytes,
) -> None:
    source = rest_source(**WHOLE, address=slow_server(head, drip), retries=1, timeout_seconds=0.5, answer_seconds=0.6)
    began = time.monotonic()
    with pytest.raises(SourceUnreachable):
        pull(source)
    assert time.monotonic() - began < 5


def test_the_whole_pull_has_an_end(agency: Agency, rest_source: Callable[..., Any], pull: Callable[..., Any]) -> None:
    agency.records = [dossier(n, minute(n)) for n in range(500)]
    agency.before_answer = lambda _: time.sleep(0.1)
    with pytest.raises(SourceUnreachable, match=r"the pull .* longer than 0.5 s"):
        pull(rest_source(pull_seconds=0.5))


def test_an_answer_that_breaks_off_is_asked_again(
    slow_server: Callable[[bytes, bytes], str], rest_source: Callable[..., Any]
) -> None:
    stats = PullStats()
    listener = socket.create_server(("127.0.0.1", 0))
    body = json.dumps(ONE).encode()

    def serve() -> None:
        for sent in (body[:50], body):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + sent)

    threading.Thread(target=serve, daemon=True).start()
    source = rest_source(**WHOLE, address=f"http://127.0.0.1:{listener.getsockname()[1]}/dossiers")
    assert len(list(read(source, WINDOW, None, KEY, stats))) == 1
    assert stats.retries_count == 1
    listener.close()


def test_an_answer_too_large_is_refused(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    httpserver.expect_request("/dossiers").respond_with_json(ONE)
    with pytest.raises(SourceMalformed, match=r"larger than 100 bytes.*max_answer_bytes"):
        pull(rest_source(**WHOLE, max_answer_bytes=100))


class TokenOffice:
    """Hands out numbered tokens and knows which of them are good."""

    def __init__(self, httpserver: HTTPServer, agency: Agency, expires_in: int | None = 3600) -> None:
        self.given = self.questions = 0
        self.good: set[str] = set()
        self.expires_in, self.agency = expires_in, agency
        httpserver.expect_request("/token", method="POST").respond_with_handler(self.token)
        httpserver.expect_request("/guarded").respond_with_handler(self.guarded)

    def token(self, request: Request) -> Response:
        login = request.authorization
        if login is None or login.password != CREDENTIALS.password.get_secret_value():
            body = {"error": "invalid_client", "error_description": f"{login} is wrong"}
            return Response(json.dumps(body), status=401, content_type="application/json")
        assert request.form["grant_type"] == "client_credentials"
        self.given += 1
        self.good = {f"token-{self.given}"}
        body = {"access_token": f"token-{self.given}", "token_type": "Bearer"}
        if self.expires_in is not None:
            body["expires_in"] = self.expires_in
        return Response(json.dumps(body), content_type="application/json")

    def guarded(self, request: Request) -> Response:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.good:
            return Response("{}", status=401, content_type="application/json")
        self.questions += 1
        return self.agency.handle(request)


@pytest.fixture
def guarded(httpserver: HTTPServer, rest_source: Callable[..., Any]) -> Callable[..., Any]:
    """Builds a source behind OAuth2."""

    def build(**more: Any) -> Any:
        oauth2 = {"token_address": httpserver.url_for("/token"), "scope": "dossiers.read"}
        return rest_source({"connection": "agency"}, address=httpserver.url_for("/guarded"), oauth2=oauth2, **more)

    return build


def test_one_token_serves_the_whole_pull(
    httpserver: HTTPServer, agency: Agency, guarded: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    agency.records = [dossier(n, minute(n)) for n in range(8)]
    office = TokenOffice(httpserver, agency, expires_in=None)
    rows, _ = pull(guarded(), CREDENTIALS)
    assert (len(rows), office.given) == (8, 1)


def test_a_token_revoked_in_mid_pull_is_renewed_once(
    httpserver: HTTPServer, agency: Agency, guarded: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    agency.records = [dossier(n, minute(n)) for n in range(8)]
    office = TokenOffice(httpserver, agency)
    agency.before_answer = lambda question: office.good.clear() if question == 2 else None
    rows, stats = pull(guarded(), CREDENTIALS)
    assert (len(rows), office.given, stats.retries_count) == (8, 2, 1)


def test_a_token_is_renewed_before_it_expires(
    httpserver: HTTPServer, agency: Agency, guarded: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    agency.records = [dossier(n, minute(n)) for n in range(8)]
    office = TokenOffice(httpserver, agency, expires_in=2)
    agency.before_answer = lambda _: time.sleep(0.7)
    rows, stats = pull(guarded(), CREDENTIALS)
    assert len(rows) == 8
    assert office.given >= 2
    assert stats.retries_count == 0, "no question was refused first"


def test_a_token_that_is_never_good_is_a_refusal(
    httpserver: HTTPServer, agency: Agency, guarded: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    office = TokenOffice(httpserver, agency)
    httpserver.expect_oneshot_request("/guarded").respond_with_data("", status=401)
    httpserver.expect_oneshot_request("/guarded").respond_with_data("", status=401)
    with pytest.raises(SourceRefused, match=r"/guarded: access refused"):
        pull(guarded(), CREDENTIALS)
    assert office.given == 2


def test_a_wrong_secret_is_a_refusal_that_names_no_secret(
    httpserver: HTTPServer,
    agency: Agency,
    guarded: Callable[..., Any],
    pull: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    TokenOffice(httpserver, agency)
    wrong = CREDENTIALS.model_copy(update={"password": type(CREDENTIALS.password)("a-wrong-secret")})
    caplog.set_level(logging.DEBUG)
    with pytest.raises(
        SourceRefused, match=r"/token: the token endpoint refuses the client.*check client id"
    ) as caught:
        pull(guarded(params={"api_key": "query-secret"}), wrong)
    told = str(caught.value) + "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "a-wrong-secret" not in told
    ours = "".join(record.getMessage() for record in caplog.records if record.name != "werkzeug")
    assert "a-wrong-secret" not in ours
    assert "query-secret" not in ours


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "no", SourceRefused),
        (403, '{"detail": "no"}', SourceRefused),
        (500, "", SourceUnreachable),
        (200, "<html>", SourceMalformed),
        (200, '{"detail": "hm"}', SourceMalformed),
        (404, "", SourceMissing),
    ],
)
def test_a_token_endpoint_fails_like_any_other(
    httpserver: HTTPServer, guarded: Callable[..., Any], pull: Callable[..., Any], status: int, body: str, kind: type
) -> None:
    httpserver.expect_request("/token").respond_with_data(body, status=status)
    with pytest.raises(kind, match=r"/token: "):
        pull(guarded(retries=0), CREDENTIALS)


def test_a_query_secret_is_in_no_message(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    source = rest_source(**WHOLE, params={"api_key": "query-secret"}, retries=0)
    httpserver.expect_request("/dossiers").respond_with_data("", status=500)
    with pytest.raises(SourceUnreachable) as status:
        pull(source)
    httpserver.stop()
    with pytest.raises(SourceUnreachable) as dead:
        pull(source)
    httpserver.start()
    for caught in (status, dead):
        assert "query-secret" not in "".join(traceback.format_exception(caught.value))


def test_basic_login_and_post(
    httpserver: HTTPServer, rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    expected = {
        "method": "POST",
        "json": {"night": "2026-03-01"},
        "headers": {"Authorization": "Basic ZHRpOmh1bnRlcjItc2VjcmV0"},
    }
    httpserver.expect_request("/dossiers", **expected).respond_with_json(ONE)
    source = rest_source({"connection": "agency"}, **WHOLE, method="POST", params={"night": "{night}"})
    assert len(pull(source, CREDENTIALS)[0]) == 1


def test_oauth2_without_a_connection_and_a_ca_file_that_is_not_there(
    guarded: Callable[..., Any], rest_source: Callable[..., Any], pull: Callable[..., Any]
) -> None:
    with pytest.raises(ConfigError, match=r"oauth2 needs a connection"):
        pull(guarded())
    with pytest.raises(ConfigError, match=r"no file /no/such.pem"):
        pull(rest_source(ca_file="/no/such.pem"))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://10.0.0.7/dossiers", True),
        ("http://portal.example.vn/dossiers", True),
        ("https://portal.example.vn/dossiers", False),
        ("http://127.0.0.1:8080/dossiers", False),
        ("http://localhost/dossiers", False),
    ],
)
def test_a_secret_sent_in_the_open_is_told(rest_source: Callable[..., Any], address: str, told: bool) -> None:
    stats = PullStats()
    with HttpClient(rest_source(address=address).connector, CREDENTIALS, stats, source_id="dossiers"):
        pass
    assert [("over http" in warning) for warning in stats.warnings] == [True] * told
