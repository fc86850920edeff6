"""A message as a mail, by SMTP under TLS."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from dti.attention.channels import ChannelError, Message
from dti.attention.routes import MailChannel
from dti.sources.credentials import CredentialsLookup

DOMAIN = "dti-warehouse.invalid"
"""Of message ids: they name no machine."""


def send(message: Message, channel: MailChannel, lookup: CredentialsLookup) -> ChannelError | None:
    """Deliver ``message`` to everyone the channel names; gives the fault when some of them are refused.

    Raises ChannelError when the server does not take it for anybody.
    """
    where = f"{channel.name} ({channel.host}:{channel.port})"
    login = lookup(channel.connection) if channel.connection else None
    try:
        context = ssl.create_default_context(cafile=str(channel.ca_file) if channel.ca_file else None)
        with _server(channel, context) as server:
            if login is not None:
                server.login(login.login, login.password.get_secret_value())
            refused = server.send_message(_mail(message, channel))
    except (smtplib.SMTPException, OSError, ValueError) as fault:
        # The server's own words may repeat what we sent, so only its code is told.
        code = f" {fault.smtp_code}" if isinstance(fault, smtplib.SMTPResponseException) else ""
        what = f"not taken ({type(fault).__name__}{code})"
        remedy = "check host, port, security and login, and that the server knows sender and recipients"
        raise ChannelError(what, where=where, remedy=remedy) from None
    if not refused:
        return None
    what = f"{len(refused)} of {len(channel.to)} recipients were refused"
    return ChannelError(what, where=where, remedy="check the addresses under to")


def _server(channel: MailChannel, context: ssl.SSLContext) -> smtplib.SMTP:
    if channel.security == "tls":
        return smtplib.SMTP_SSL(channel.host, channel.port, timeout=channel.timeout_seconds, context=context)
    server = smtplib.SMTP(channel.host, channel.port, timeout=channel.timeout_seconds)
    if channel.security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _mail(message: Message, channel: MailChannel) -> EmailMessage:
    """Messages of one cause hang together, and no answering machine answers them."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = message.subject
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.to)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{DOMAIN}>"
    if not message.is_first:
        mail["In-Reply-To"] = mail["References"] = f"<{message.thread}@{DOMAIN}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail
