"""What a person decided on a candidate: approved or rejected, by whom, when, and what they said."""

from __future__ import annotations

from sqlalchemy import Connection, text

from dti.annual.model import Request, RequestError
from dti.annual.request import move, read_request
from dti.settings import Settings
from dti.warehouse.connect import engine

_REMEDY = {
    "requested": "compute and review it first",
    "candidate": "review it first",
    "published": "ask anew: what is published stays, a new version stands beside it",
    "rejected": "ask anew",
    "withdrawn": "ask anew",
    "failed": "mend what failed and ask anew",
}


def approve(connection: Connection, request: Request, approver: str, note: str) -> None:
    """Record the approval, in the caller's transaction; one that is recorded already stays.

    Raises RequestError when nobody is named or the request does not wait for a decision.
    """
    _decide(connection, request, "approved", approver, note, during=("waiting", "approved"))


def reject(request_id: str, *, rejecter: str, note: str, settings: Settings) -> Request:
    """Record that the candidate was rejected and why; it is kept, and its year can be asked for again.

    A request that was rejected already stays as it is. Raises RequestError when nobody or no reason is given, or the
    request does not wait for a decision.
    """
    with engine(settings, "loader").begin() as connection:
        request = read_request(connection, request_id, lock=True)
        if request.status == "rejected":
            return request
        if not note.strip():
            raise RequestError("no reason is given", where=request_id, remedy="say why it is rejected; it is recorded")
        _decide(connection, request, "rejected", rejecter, note, during=("waiting",))
        return move(connection, request_id, "rejected", reason=note.strip())


def _decide(
    connection: Connection, request: Request, decision: str, person: str, note: str, *, during: tuple[str, ...]
) -> None:
    if request.status not in during:
        because = f": {request.status_reason}" if request.status_reason else ""
        raise RequestError(
            f"it is {request.status}, it does not wait for a decision{because}",
            where=request.request_id,
            remedy=_REMEDY.get(request.status, "publish it"),
        )
    if not person.strip():
        raise RequestError("nobody decides", where=request.request_id, remedy="give the name of who decides")
    connection.execute(
        text(
            "insert into annual.decision (request_id, decision, decided_by, note)"
            " values (:request_id, :decision, :person, :note) on conflict (request_id) do nothing"
        ),
        {"request_id": request.request_id, "decision": decision, "person": person.strip(), "note": note.strip()},
    )
