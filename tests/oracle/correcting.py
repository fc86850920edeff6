"""The oracle's corrections: days written anew and counted as ever, in fractions. Shares no code with the project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction


@dataclass(frozen=True)
class Fix:
    """A correction: what becomes of some days, and what the source held over the guard's when it was written.

    ``guard`` is the number as written, 'missing', or empty where there is none. An indicator's has no days.
    """

    action: str
    amount: Fraction = Fraction(0)
    guard: str = ""
    days: tuple[date, date] = (date.min, date.max)
    guard_days: tuple[date, date] | None = None

    def holds(self, held: Fraction | None) -> bool:
        """Whether the source still holds what it held."""
        if self.guard in {"", "missing"} or held is None:
            return not self.guard or (self.guard == "missing") == (held is None)
        tens = 10 ** len(self.guard.partition(".")[2])
        return int(held * tens + Fraction(1, 2)) == Fraction(self.guard) * tens


Days = dict[date, Fraction]


def _whole(days: Days, adding: str) -> Fraction | None:
    """The value of all days: their sum, or the newest report."""
    if not days:
        return None
    return sum(days.values(), Fraction(0)) if adding == "sum" else days[max(days)]


def corrected(days: Days, adding: str, begin: date, end: date, fixes: list[Fix]) -> tuple[Fraction | None, list[Fix]]:
    """What one source's daily figures from ``begin`` to ``end`` come to after ``fixes``; and those that expired.

    Not by arithmetic on totals: the days themselves are written anew, and then counted as ever.
    """
    after = {day: figure for day, figure in days.items() if begin <= day <= end}
    expired = []
    for fix in fixes:
        first, last = fix.days
        seen_from, seen_to = fix.guard_days or fix.days
        if fix.guard and seen_to > end:
            continue
        if not fix.holds(_whole({d: figure for d, figure in days.items() if seen_from <= d <= seen_to}, adding)):
            expired.append(fix)
            continue
        if fix.action == "flag" or (fix.action == "override" and adding == "sum" and last > end) or first > end:
            continue
        own = [day for day in after if first <= day <= last]
        if fix.action == "scale":
            after |= {day: after[day] * fix.amount for day in own}
            continue
        for day in own:
            del after[day]
        if fix.action == "override":
            after[min(last, end)] = fix.amount
    return _whole(after, adding), expired
