"""A message as a POST: what is sent, how it is signed, and what is said when it is not taken."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from dti.attention.channels import ChannelError, deliver
from dti.attention.routes import WebhookChannel
from dti.errors import ConfigError
from dti.sources.credentials import Credentials
from tests.unit.attention.messages import CANARY, a_message


def lookup(connection_id: str) -> Credentials:
    if connection_id == "nowhere":
        raise ConfigError("connection is not defined", where=connection_id, remedy="add it")
    return Credentials(login="", password=CANARY)


def post(address: str | None, **changes: object) -> None:
    given = {"name": "on-duty", "type": "webhook", "address": address, "timeout_seconds": 2, **changes}
    deliver(a_message(), WebhookChannel.model_validate(given), lookup)


def test_only_text_for_a_program_that_takes_nothing_else(httpserver: HTTPServer):
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    post(httpserver.url_for("/hook"), body="text")
    post(httpserver.url_for("/hook"))
    first, second = (json.loads(request.data) for request, _ in httpserver.log)
    assert list(first) == ["text"]
    assert list(second) == ["text", "dti"]
    assert first["text"] == second["text"]


def test_a_signed_message_can_be_checked_by_whoever_has_the_key(httpserver: HTTPServer):
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    post(httpserver.url_for("/hook"), signature="notify_signature")
    request, _ = httpserver.log[0]
    content = request.headers["X-DTI-Timestamp"].encode() + b"." + request.data
    expected = hmac.new(CANARY.encode(), content, hashlib.sha256).hexdigest()
    assert request.headers["X-DTI-Signature"] == f"sha256={expected}"
    assert CANARY.encode() not in request.data


def test_a_server_that_stumbles_is_asked_again_at_once(httpserver: HTTPServer, caplog):
    caplog.set_level(logging.DEBUG)
    answers = iter([503, 503, 200])

    def stumbling(_: Request) -> Response:
        return Response(status=next(answers))

    httpserver.expect_request(f"/{CANARY}", method="POST").respond_with_handler(stumbling)
    post(httpserver.url_for(f"/{CANARY}"))
    assert len({request.headers["X-DTI-Message"] for request, _ in httpserver.log}) == 1
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]
    assert not [said for said in ours if CANARY in said]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://example.org/hook", "not protected by TLS"),
        ("ftp://127.0.0.1/hook", "not protected by TLS"),
        ("http://127.0.0.1:9/hook", "no answer (ConnectionError)"),
        ("https://127.0.0.1:9/hook", "no answer (ConnectionError)"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_in_words(address, said):
    with pytest.raises(ChannelError) as fault:
        post(address)
    assert said in str(fault.value)
    assert str(fault.value).startswith("on-duty (")
    assert "/hook" not in str(fault.value)


def test_a_connection_that_is_not_defined_is_named():
    with pytest.raises(ConfigError, match="nowhere: connection is not defined"):
        post(None, connection="nowhere")
