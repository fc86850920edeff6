"""Whose certificates we trust, and why one is not trusted. There is no way to switch the check off."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

from dti import clock
from dti.errors import ConfigError
from dti.settings import get_settings
from dti.sources.model import HttpConnector

# The codes of OpenSSL's X509_V_ERR_…, as ssl.SSLCertVerificationError gives them.
_CAUSES = {
    frozenset({9}): (
        "its TLS certificate is not valid yet",
        "check the clock of this machine; if it is right, have the agency renew its certificate",
    ),
    frozenset({10}): ("its TLS certificate has expired", "have the agency renew its certificate"),
    frozenset({18, 19, 20, 21}): (
        "its TLS certificate is signed by no authority we trust",
        "name the authority's certificate as connector.ca_file (PEM), or have the agency send the whole chain",
    ),
    frozenset({62, 63, 64}): (
        "its TLS certificate is made out to another name",
        "check the address; if it is right, have the agency get a certificate for this name",
    ),
}
CA_REMEDY = "give the path of a PEM file with the certificate of the authority"


def certificate_fault(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The refused certificate that lies behind an error of requests or urllib3; None: it is about something else."""
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo:
        found = todo.pop()
        if isinstance(found, ssl.SSLCertVerificationError):
            return found
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            todo += [*found.args, getattr(found, "reason", None), found.__cause__, found.__context__]
    return None


def certificate_words(fault: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """What is wrong with a refused certificate, and what to do."""
    for codes, words in _CAUSES.items():
        if fault.verify_code in codes:
            return words
    what = f"its TLS certificate is not trusted ({fault.verify_message}, OpenSSL code {fault.verify_code})"
    return what, "have the agency renew its certificate"


def trusted(connector: HttpConnector, source_id: str) -> str | bool:
    """The file of authorities that vouch for this source; True: those of this machine.

    Raises ConfigError when the file is not fit to vouch for anybody.
    """
    if connector.ca_file is None:
        return True
    if problem := ca_problem(connector.ca_file):
        raise ConfigError(problem, where=f"{source_id}: ca_file", remedy=CA_REMEDY)
    return str(ca_path(connector.ca_file))


def ca_path(ca_file: str) -> Path:
    """Where a ``ca_file`` is: a relative one below the checkout."""
    return get_settings().project / ca_file


def ca_problem(ca_file: str) -> str | None:
    """Why a ``ca_file`` cannot vouch for an agency; None: it can."""
    path = ca_path(ca_file)
    if not path.is_file():
        return f"no file {path}"
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cafile=path)
        ends = [_end(str(each["notAfter"])) for each in context.get_ca_certs()]
    except (ssl.SSLError, OSError, ValueError, KeyError) as fault:
        return f"{path} holds no certificate in PEM ({type(fault).__name__})"
    if not ends:
        return f"{path} holds no certificate of an authority"
    if max(ends) < clock.now():
        return f"every certificate in {path} has expired, the last on {clock.local_day(max(ends))}"
    return None


def _end(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), tz=clock.ZONE)
