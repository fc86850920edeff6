"""The form of a recomputation. Airflow itself refuses what it forbids, from a person and from a program alike."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from dti.annual.limits import CHECK_NAMES
from dti_airflow.annual.choices import AUTO, frameworks, geographies

HOW = {
    AUTO: "as the period asks for",
    "none": "none: the units' own data",
    "average": "average: the mean of the former provinces, as the ministry did for 2024",
    "recomputed": "recomputed: from the former provinces' merged figures",
}
_WRITTEN: dict[str, Any] = {"type": "string", "pattern": r"\S", "maxLength": 2000}
AS_OF = (
    "Nothing that became known after this moment counts. Empty: now. A moment: 2027-06-03T00:00+07:00 (without a zone:"
    " in Việt Nam). A day, as its night knew it: 2026-06-28. Or a run: night-2026-06-28.922-2022.34"
)


def form() -> dict[str, Param]:
    """The fields of a recomputation, offering what this installation has."""
    return {
        "year": Param(
            type="integer", minimum=2020, maximum=2100, title="Year", description="Reporting year: Năm đánh giá."
        ),
        "reason": Param(
            **_WRITTEN,
            minLength=5,
            format="multiline",
            title="Reason",
            description="Why it is recomputed. It stands on the publication for good.",
        ),
        "requester": Param(
            **_WRITTEN, minLength=2, title="Requester", description="Your name; the login is noted beside it."
        ),
        "framework": _choice(
            "Framework", {AUTO: "the one in force in the year"} | {name: name for name in frameworks()}
        ),
        "geography": _choice(
            "Geography", {AUTO: "the units of the end of the period"} | {name: name for name in geographies()}
        ),
        "merge_method": _choice("Merge method: how former provinces become one", HOW),
        "as_of": Param(None, type=["null", "string"], maxLength=200, title="As of", description=AS_OF),
        "accepted_checks": Param(
            [],
            type=["array", "null"],
            items={"type": "string", "enum": sorted(CHECK_NAMES)},
            examples=sorted(CHECK_NAMES),
            uniqueItems=True,
            title="Accepted checks",
            description="Checks that may fail without stopping it. You answer for them; the report says so.",
            section="Exceptions",
        ),
        "door": Param(
            "form",
            type="string",
            enum=["form", "api", "calendar"],
            title="Door",
            description="How this was asked. Leave it.",
            section="Exceptions",
        ),
    }


def _choice(title: str, shown: dict[str, str]) -> Param:
    return Param(AUTO, type="string", enum=list(shown), values_display=shown, title=title)


def asked(params: dict[str, Any], run: Any) -> dict[str, Any]:
    """What ``flow.annual_open`` is asked for by a DAG run with these ``params``.

    Whoever triggers without the form (a program) does not send every field: a door that was not sent is the API.
    """
    login = run.triggering_user_name
    requester = params["requester"].strip()
    return {
        "year": params["year"],
        "reason": params["reason"].strip(),
        "requester": f"{requester} (login {login})" if login and login != requester else requester,
        "door": (run.conf or {}).get("door", "api"),
        "key": key_of(run.run_id),
        "framework_id": _chosen(params["framework"]),
        "geography": _chosen(params["geography"]),
        "merge_method": _chosen(params["merge_method"]),
        "as_of": (params["as_of"] or "").strip() or None,
        "accepted_checks": tuple(params["accepted_checks"] or ()),
    }


def key_of(run_id: str, cleared: int = 0) -> str:
    """The key under which a DAG run asks; another one each time it was cleared and asks anew."""
    return f"{run_id}#{cleared}" if cleared else run_id


def _chosen(value: str) -> str | None:
    return None if value == AUTO else value
