"""The report of a candidate, for the person who approves it once a year: one HTML file that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dti.annual.checks_sql import Row
from dti.annual.difference_model import Comparison, Difference, Move
from dti.annual.model import CheckResult, Request
from dti.annual.report_chart import UnitRank, rank_chart
from dti.clock import ZONE

MOVERS_SHOWN, INDICATORS_SHOWN, ROWS_SHOWN = 15, 6, 12
"""Units and indicators that are told at length; everything is in difference.json."""
MARKS = {
    "passed": ("✓", "Passed", "Đạt"),
    "warning": ("!", "To weigh", "Cần cân nhắc"),
    "failed": ("✗", "Failed", "Không đạt"),
    "accepted": ("✗", "Failed, accepted", "Không đạt, được chấp nhận"),
}
TITLES = {
    "every_batch_decided": ("Everything that had landed is decided", "Mọi lô dữ liệu đã được xử lý"),
    "ledger_agrees": (
        "Facts rebuilt from the ledger are those of the nights",
        "Số liệu dựng lại khớp với hằng đêm",
    ),
    "totals_reconcile": ("Totals are the sums of their facts", "Tổng khớp với số liệu gốc"),
    "units_present": ("All units are present", "Đủ tất cả các đơn vị"),
    "points_add_up": ("Points, indices and ranks add up", "Điểm, chỉ số và xếp hạng tính đúng"),
    "coverage_kept": ("No less is known than when last published", "Độ phủ dữ liệu không giảm"),
    "index_moves_explained": ("Whatever moved far has a cause", "Mọi biến động lớn đều có nguyên nhân"),
    "corrections_hold": ("Corrections still hold", "Các hiệu chỉnh còn hiệu lực"),
    "framework_in_force": ("Framework in force in the year", "Bộ chỉ số còn hiệu lực"),
    "synthetic": ("Real data, not made up", "Số liệu thật, không giả lập"),
}

_ABOUT = (
    "correction_id", "feed", "source_id", "batch_id", "metric", "unit_id", "unit_name", "measure", "figure", "day",
    "target", "action", "first_day", "last_day", "value_before", "value_after", "coverage_before", "coverage_after",
)  # fmt: skip


@dataclass(frozen=True)
class Findings:
    """What a report tells. ``indices``: one row a unit and measure; ``corrections``: one row a corrected value."""

    request: Request
    checks: list[CheckResult]
    difference: Difference
    framework: Row
    indices: list[Row]
    corrections: list[Row]

    @property
    def failed(self) -> list[CheckResult]:
        """Checks that stop the request."""
        return [check for check in self.checks if check.status == "failed"]


def render(findings: Findings) -> str:
    """The report as one HTML document: no script, nothing from a network, everything escaped."""
    difference = findings.difference
    main = difference.measures[0]
    units = _units(findings)
    against = difference.main
    # Where few ranks changed, a line for each unit that kept its rank would hide them.
    is_whole = against is not None and len(against.rank_changes(main.code)) * 3 > len(units)
    return _environment().get_template("report.html.j2").render(
        f=findings,
        request=findings.request,
        difference=difference,
        candidate=difference.candidate,
        main=main,
        units=units,
        chart=_chart(against, units, main.code, is_whole) if against else None,
        chart_is_whole=is_whole,
        comparisons=[difference.publication, difference.night],
        marks=MARKS,
        titles=TITLES,
        shown={"movers": MOVERS_SHOWN, "indicators": INDICATORS_SHOWN, "rows": ROWS_SHOWN},
    )  # fmt: skip


def _units(findings: Findings) -> list[dict[str, Any]]:
    """One entry a unit, best of the first composite first: names, and its figures by measure."""
    units: dict[str, dict[str, Any]] = {}
    for row in findings.indices:
        unit = units.setdefault(row["unit_id"], {"unit_id": row["unit_id"], "name": row["unit_name"],
                                                 "region": row["region_name"], "of": {}})  # fmt: skip
        unit["of"][row["measure"]] = row
    code = findings.difference.measures[0].code
    return sorted(units.values(), key=lambda unit: (_rank(unit, code), unit["name"]))


def _rank(unit: dict[str, Any], code: str) -> int:
    row = unit["of"].get(code)
    return int(row["rank_national"]) if row else len(unit["of"]) + 10_000


def _chart(against: Comparison, units: list[dict[str, Any]], code: str, is_whole: bool) -> Markup | None:
    """The ranks of a composite, when at least one of them changed: of all units, or of those that changed."""
    moves = {move.unit_id: move for move in against.rank_changes(code)}
    if not moves or against.side is None:
        return None
    shown = [unit for unit in units if code in unit["of"] and (is_whole or unit["unit_id"] in moves)]
    ranks = [_unit_rank(unit, moves.get(unit["unit_id"]), code) for unit in shown]
    # What Vega draws is escaped by it: names become text, never elements.
    return Markup(rank_chart(ranks, against.side.name, "candidate · dự thảo"))  # noqa: S704  # nosec B704


def _unit_rank(unit: dict[str, Any], move: Move | None, code: str) -> UnitRank:
    after = unit["of"][code]["rank_national"]
    return UnitRank(unit["name"], move.rank_before if move else after, after)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dti.annual"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "local": moment_here,
        "signed": _signed,
        "points": _points,
        "words": _words,
        "cell": _cell,
        "ordered": _ordered,
    }
    return environment


def moment_here(moment: datetime | None) -> str:
    """A moment in Việt Nam, to the minute."""
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if moment else "not recorded"


def _signed(value: Decimal, decimals: int = 4) -> str:
    return f"{value:+.{decimals}f}".replace("-", "−") if value else "0"


def _points(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _ordered(row: Row) -> list[str]:
    """The names of a row, those that say what it is about first; JSON in the warehouse keeps no order."""
    return sorted(row, key=lambda name: (_ABOUT.index(name) if name in _ABOUT else len(_ABOUT), name))


def _cell(value: Any) -> str:
    """A value of a check's row, as a person reads it."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_cell(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_cell, value)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)
