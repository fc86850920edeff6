"""A message as a mail: against a real SMTP server in this process, under TLS of an authority of our own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from dti.attention.channels import ChannelError, deliver
from dti.attention.routes import MailChannel
from dti.sources.credentials import Credentials
from tests.builders.airflow import free_port
from tests.unit.attention.messages import CANARY, a_cause, a_message


@dataclass
class Post:
    """A mail server and what arrived there."""

    port: int
    ca_file: Path
    mails: list[EmailMessage] = field(default_factory=list)
    protected: list[bool] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)

    async def handle_RCPT(self, _s: SMTP, _t: Session, envelope: Envelope, address: str, _o: list) -> str:  # noqa: N802
        if address in self.refuse:
            return f"550 nobody here, said {CANARY}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.protected.append(session.ssl is not None)
        return "250 OK"

    def authenticate(self, _s: SMTP, _t: Session, _e: Envelope, _mechanism: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (b"dti", CANARY.encode()), handled=False)

    def send(self, password: str = CANARY, cause=None, number: int = 1, **changes: object) -> ChannelError | None:
        given = {
            "name": "office", "type": "mail", "host": "localhost", "port": self.port, "security": "starttls",
            "connection": "notify_mail", "sender": "dti@example.gov.vn", "to": ["truc.ban@example.gov.vn"],
            "ca_file": self.ca_file, "timeout_seconds": 5, **changes,
        }  # fmt: skip
        channel = MailChannel.model_validate(given)
        message = a_message(cause, number=number)
        return deliver(message, channel, lambda _: Credentials(login="dti", password=password))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A certificate of localhost, and the file of the authority that signed it."""
    ca, folder = trustme.CA(), tmp_path_factory.mktemp("ca")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    return context, folder / "ca.pem"


@pytest.fixture
def post(authority: tuple[ssl.SSLContext, Path]) -> Iterator[Post]:
    """A server that wants TLS and a login."""
    context, ca_file = authority
    post = Post(free_port(), ca_file)
    server = Controller(
        post, hostname="localhost", port=post.port, tls_context=context, require_starttls=True,
        authenticator=post.authenticate, auth_required=True,
    )  # fmt: skip
    server.start()
    yield post
    server.stop()


def test_a_mail_goes_under_tls_with_a_login_and_is_read_as_written(post):
    post.send()
    (mail,) = post.mails
    assert post.protected == [True]
    assert mail["Subject"] == "[DTI] nghiêm trọng: Cổng Dịch vụ công tỉnh Cà Mau: không lấy được số liệu"
    assert mail["To"] == "truc.ban@example.gov.vn"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    assert "Cách xử lý: gọi cho cơ quan" in text
    assert "Remedy: call the agency" in text
    assert CANARY not in mail.as_string()


def test_messages_of_one_cause_hang_together(post):
    post.send(number=1)
    post.send(number=2)
    first, second = post.mails
    assert first["References"] is None
    assert second["In-Reply-To"] == first["Message-ID"] != second["Message-ID"]


def test_words_of_a_fault_cannot_write_headers(post):
    cause = a_cause(agency="Sở A\r\nBcc: everyone@example.org")
    post.send(cause=cause)
    (mail,) = post.mails
    assert mail["Bcc"] is None
    assert "Sở A Bcc: everyone@example.org" in mail["Subject"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong-" + CANARY}, "SMTPAuthenticationError 535"),
        ({"ca_file": None}, "SSLCertVerificationError"),
        ({"security": "none"}, "not taken (SMTP"),
        ({"security": "tls"}, "not taken (SSLError"),
        ({"port": 9}, "ConnectionRefusedError"),
        ({"host": "nowhere.invalid"}, "gaierror"),
    ],
)
def test_a_server_that_does_not_take_it_is_told_in_words_without_the_secret(post, changes, said):
    with pytest.raises(ChannelError) as fault:
        post.send(**changes)
    assert said in str(fault.value)
    assert str(fault.value).startswith("office (")
    assert CANARY not in str(fault.value)
    assert post.mails == []


def test_a_recipient_who_is_refused_is_not_passed_over_in_silence(post):
    post.refuse.add("a@example.org")
    fault = post.send(to=["a@example.org", "b@example.org"])
    assert "1 of 2 recipients were refused" in str(fault)
    assert len(post.mails) == 1
    post.refuse.add("b@example.org")
    with pytest.raises(ChannelError, match="SMTPRecipientsRefused") as none:
        post.send(to=["a@example.org", "b@example.org"])
    assert CANARY not in str(none.value) + str(fault)
