"""The question to a person: publish this candidate, or not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLBranchOperator
from airflow.sdk import Param

if TYPE_CHECKING:
    from airflow.sdk import Context

APPROVE, REJECT = "Approve", "Reject"
DECISION = "decision"
"""The XCom that holds what was answered."""
NO_REASON = "no reason given"
PATIENCE = timedelta(days=60)
"""How long a candidate waits for an answer; then the request ends as failed and its year is free again."""
NOTE = Param(
    "",  # the page asks for more than this; Airflow takes no question whose fields have no value yet
    type="string",
    maxLength=2000,
    title="Note",
    description="Why: for the record. It stands beside the decision for good.",
)
"""What whoever answers writes; the task's own parameter ``note``."""


class Decide(HITLBranchOperator):
    """Asks a person and remembers who answered, when, and in which words.

    Airflow keeps the answer of a branch to itself; what follows must record it, so it is handed on as an XCom
    ``decision`` with keys ``by``, ``at`` (ISO, UTC), ``option`` and ``note``.
    """

    def __init__(self, *, approve: str, reject: str, **kwargs: Any) -> None:
        super().__init__(
            options=[APPROVE, REJECT],
            options_mapping={APPROVE: approve, REJECT: reject},
            response_timeout=PATIENCE,
            **kwargs,
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Take the answer, hand it on, and follow it. An answer that the form forbids is asked for again."""
        if "error" not in event:
            self.validate_chosen_options(event["chosen_options"])
            self.validate_params_input(event["params_input"] or {})
            context["ti"].xcom_push(key=DECISION, value=decision(event))
        return super().execute_complete(context, event)


def decision(event: dict[str, Any]) -> dict[str, str]:
    """The answer in ``event`` as it is recorded. A program may leave out the note; a rejection then says so."""
    [option] = event["chosen_options"]
    user = event["responded_by_user"] or {}
    note = str((event["params_input"] or {}).get("note") or "").strip()
    return {
        "option": option,
        "by": user.get("name") or user.get("id") or "",
        "at": event["responded_at"].isoformat(),
        "note": note or (NO_REASON if option == REJECT else ""),
    }
