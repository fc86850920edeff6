"""A message as a JSON POST: a field ``text``, as chat programs read it, and the whole cause for programs."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from dti.attention.channels import ChannelError, Message
from dti.attention.routes import WebhookChannel, host_of, is_this_machine
from dti.sources.credentials import CredentialsLookup

# Both would write the address, whose path may be a secret, into the log.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
logging.getLogger("urllib3.util.retry").setLevel(logging.INFO)

PATIENCE = Retry(
    total=2,
    backoff_factor=0.5,
    status_forcelist=[429, 500, 502, 503, 504],
    allowed_methods=None,  # a POST too: a message that arrives twice carries the same id
    respect_retry_after_header=False,  # a chat program must not hold up the night; the next telling tries again
    raise_on_status=False,
)


def post(message: Message, channel: WebhookChannel, lookup: CredentialsLookup) -> None:
    """Deliver ``message``. Raises ChannelError unless the server answers with success; redirects are not followed."""
    address = channel.address or lookup(str(channel.connection)).password.get_secret_value()
    where = f"{channel.name} ({host_of(address)})"
    _require_protection(address, where)
    content = {"text": message.text} | ({"dti": message.structured} if channel.body == "full" else {})
    sent = json.dumps(content, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "dti-warehouse", "X-DTI-Message": message.id}
    if channel.signature:
        moment = f"{message.at.timestamp():.0f}"
        key = lookup(channel.signature).password.get_secret_value().encode()
        signed = hmac.new(key, moment.encode() + b"." + sent, hashlib.sha256).hexdigest()
        headers |= {"X-DTI-Timestamp": moment, "X-DTI-Signature": f"sha256={signed}"}
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=PATIENCE))
        try:
            answer = session.post(
                address,
                data=sent,
                headers=headers,
                timeout=channel.timeout_seconds,
                allow_redirects=False,
                stream=True,  # its status is all we want; a body without end is not waited for
                verify=str(channel.ca_file) if channel.ca_file else True,
            )
            answer.close()
        except (requests.RequestException, OSError, ValueError) as fault:
            what = f"no answer ({type(fault).__name__})"  # its own text repeats the address
            raise ChannelError(what, where=where, remedy="check the address and that it can be reached") from None
    if not 200 <= answer.status_code < 300:
        remedy = "check the address, and what its owner allows"
        raise ChannelError(f"not taken (HTTP {answer.status_code})", where=where, remedy=remedy)


def _require_protection(address: str, where: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname or "")):
        return
    remedy = "give an https address; http only for this machine"
    raise ChannelError("its address is not protected by TLS", where=where, remedy=remedy)
