"""What a landed row must be like to be loaded, apart from the gate: plain Python, no DuckDB, no Great Expectations.

Only rules that hold a row back are here; each feed's are written down again from what its suite says in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from dti.feeds import Contract

Typed = dict[str, Any]
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FIRST, LAST = 1900, 2199
FEE_DIGITS = Decimal(10) ** 22
PROCEDURE = re.compile(r"[0-9]\.[0-9]{6}(\.[0-9]{3}\.[0-9]{2}\.[0-9]{2})?(\.H[0-9]{2}(\.[0-9]{1,3}){0,2})?", re.ASCII)
MEASURES = {
    "up_share", "cpu_utilisation_pct", "memory_utilisation_pct", "storage_utilisation_pct", "servers_total",
    "servers_with_antimalware",
}  # fmt: skip


class Unreadable(ValueError):
    """A text that is not of its type."""


@dataclass(frozen=True)
class Horizon:
    """The moment up to which a batch may speak of the past, and what was read from the reference data."""

    moment: datetime
    metrics: frozenset[str] = frozenset()
    yes_no: frozenset[str] = frozenset()

    @property
    def day(self) -> date:
        return self.moment.astimezone(ZONE).date()


def typed(text: str | None, kind: str, longest: int) -> Any:
    """The value of a landed text; raises Unreadable."""
    if not text:
        return None
    if kind == "string":
        if "\x00" in text or len(text) > longest:
            raise Unreadable(text)
        return text
    if kind == "boolean":
        if text not in {"true", "false"}:
            raise Unreadable(text)
        return text == "true"
    try:
        return {"integer": _integer, "decimal": _decimal, "date": _date, "timestamptz": _moment}[kind](text)
    except (ValueError, ArithmeticError):
        raise Unreadable(text) from None


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        raise Unreadable(text)
    return int(text)


def _decimal(text: str) -> Decimal:
    if not re.fullmatch(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?", text, re.ASCII):
        raise Unreadable(text)
    value = Decimal(text)
    if abs(value) >= FEE_DIGITS:
        raise Unreadable(text)
    return value.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def _date(text: str) -> date:
    found = date.fromisoformat(text)
    if len(text) != 10 or not FIRST <= found.year <= LAST:
        raise Unreadable(text)
    return found


def _moment(text: str) -> datetime:
    shape = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[-+][0-9]{2}(:?[0-9]{2})?)"
    if not re.fullmatch(shape, text, re.ASCII) or not FIRST <= int(text[:4]) <= LAST:
        raise Unreadable(text)
    return datetime.fromisoformat(text).astimezone(UTC)


def read(row: dict[str, str | None], contract: Contract) -> Typed | None:
    """The typed row; None when a text cannot be read or one is missing that the contract needs."""
    needed = {*contract.key, contract.version_column, contract.day_column} - {None}
    found: Typed = {}
    for name, column in contract.columns.items():
        try:
            found[name] = typed(row[name], column.type, 200 if name in contract.key else 10_000)
        except Unreadable:
            return None
        if found[name] is None and (column.required or name in needed or column.day_column in needed):
            return None
        if column.day_column:
            found[column.day_column] = found[name] and found[name].astimezone(ZONE).date()
    return found


def keeps(feed: str, row: Typed, horizon: Horizon) -> bool:
    """Whether a typed row keeps to every rule of its feed that would hold it back."""
    return all(rule(row, horizon) for rule in RULES[feed])


Rule = Callable[[Typed, Horizon], bool]


def _not_negative(*names: str) -> list[Rule]:
    return [lambda r, _, n=name: r[n] is None or r[n] >= 0 for name in names]  # type: ignore[misc]


def _within(total: str, *names: str) -> list[Rule]:
    return [lambda r, _, n=n: None in (r[n], r[total]) or r[total] >= r[n] for n in names]  # type: ignore[misc]


def _one_of(name: str, *values: Any) -> Rule:
    return lambda r, _: r[name] is None or r[name] in values


def _day(name: str) -> Rule:
    return lambda r, h: r[name] is None or date(2000, 1, 1) <= r[name] <= h.day


def _time(name: str, ahead: timedelta = timedelta(0)) -> Rule:
    start = datetime(2000, 1, 1, tzinfo=ZONE)
    return lambda r, h: r[name] is None or start <= r[name] <= h.moment + ahead


def _not_before(later: str, earlier: str) -> Rule:
    return lambda r, _: None in (r[later], r[earlier]) or r[later] >= r[earlier]


_STAFF = ["staff_digital_transformation", "staff_information_technology", "staff_information_security",
          "staff_trained_dx", "staff_trained_digital_skills", "staff_trained_data"]  # fmt: skip

RULES: dict[str, list[Rule]] = {
    "online_services": [
        _one_of("status_code", *range(1, 11)),
        _one_of("channel_code", 1, 2, 3),
        _one_of("online_payment_code", 0, 1, 2),
        _one_of("applicant_type_code", 1, 2, 3),
        lambda r, _: bool(PROCEDURE.fullmatch(r["procedure_code"])),
        *_not_negative("fee_vnd", "supplement_request_count"),
        *(_time(name) for name in ("opened_at", "updated_at", "received_at", "finished_at")),
        _time("due_at", timedelta(days=3652)),
        _not_before("received_at", "opened_at"),
        _not_before("due_on", "received_on"),
        _not_before("finished_at", "received_at"),
        _not_before("updated_on", "opened_on"),
        lambda r, _: r["status_code"] not in (9, 10) or r["finished_at"] is not None,
    ],
    "service_catalogue": [
        _one_of("service_level_code", 2, 3, 4),
        lambda r, _: bool(PROCEDURE.fullmatch(r["procedure_code"])),
        *_not_negative("time_limit_days"),
        _day("snapshot_on"),
    ],
    "data_centre": [
        _one_of("measure", *MEASURES),
        lambda r, _: 1 <= r["step_seconds"] <= 86_400,
        lambda r, _: r["value"] >= 0,
        lambda r, _: r["measure"] != "up_share" or r["value"] <= 1,
        lambda r, _: not r["measure"].endswith("_pct") or r["value"] <= 100,
        _time("sampled_at"),
    ],
    "staffing": [*_not_negative("staff_total", *_STAFF), *_within("staff_total", *_STAFF), _day("reported_on")],
    "community_teams": [
        *_not_negative("villages_total", "villages_with_team", "team_members_total", "team_members_trained"),
        lambda r, _: r["population"] > 0,
        *_within("villages_total", "villages_with_team"),
        *_within("team_members_total", "team_members_trained"),
        *_within("population", "team_members_total"),
        _day("reported_on"),
    ],
    "platform_inventory": [
        _one_of("item_kind", "system", "shared_platform", "agency_network", "workstation_group", "national_database",
                "government_cloud"),
        _one_of("hosting", "data_centre", "government_cloud", "commercial_cloud", "on_premises"),
        _one_of("security_level", 1, 2, 3, 4, 5),
        *_not_negative("quantity_total", "quantity_protected"),
        *_within("quantity_total", "quantity_protected"),
        _day("snapshot_on"),
        lambda r, _: r["assessed_on"] is None or r["assessed_on"] >= date(2000, 1, 1),
    ],
    "declarations": [
        lambda r, h: r["metric"] in h.metrics,
        _one_of("basis", "declared", "appraised"),
        *_not_negative("value"),
        lambda r, h: r["metric"] not in h.yes_no or r["value"] in (0, 1),
        lambda r, h: 2020 <= r["period_year"] <= h.day.year,
        _day("stated_on"),
    ],
}  # fmt: skip
