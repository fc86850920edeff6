"""What the official scoring text says, when it says it in one of the forms we know to the last word; else why not.

Each form is matched whole: a sentence that is left over may hold a condition, so nothing is then understood.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from dti.index.annex.wording import tidy
from dti.index.model import Step

Form = Literal["yes_no", "ratio", "target_ratio", "target_count", "steps", "levels"]
"""The rules of a framework; ``levels`` are steps of a judgement (A, B, none) and carry shares without thresholds."""


@dataclass(frozen=True)
class Understood:
    """A rule, complete but for its metrics."""

    form: Form
    target: Decimal | None = None
    steps: tuple[Step, ...] = ()
    shares: tuple[Decimal, ...] = ()


@dataclass(frozen=True)
class Unclear:
    """Why the text is left to a person."""

    why: str


def _spelt(pattern: str) -> re.Pattern[str]:
    """A pattern in the spelling that ``_clauses`` brings texts into."""
    return re.compile(unicodedata.normalize("NFC", pattern))


_FULL = r"(?:được )?(?:điểm tối đa|100% điểm tối đa|tối đa)"
_YES = {"có", "đã có", "đã ban hành", "ban hành", "có ban hành", "đã triển khai", "có triển khai", "đạt", "đáp ứng"}
_NO = {
    "không", "không có", "chưa", "chưa có", "chưa ban hành", "không ban hành", "chưa triển khai", "không triển khai",
    "không đạt", "chưa đạt", "không đáp ứng", "chưa đáp ứng",
}  # fmt: skip
_BULLET = re.compile(r"^\s*(?:[-–+•*]|[a-zđ]\))\s*")
_SENTENCE = re.compile(r"\.\s+(?=[^\W\d_])")
_AFTER_POINTS = re.compile(r"(?<=điểm tối đa),\s*|(?<=\d điểm),\s*")
_NUMBER = r"(\d+(?:[.,]\d+)?)\s*(%?)"
_SHARE = r"(?:tỷ lệ(?: %| \(%\))?)"
_WHAT = rf"(?:{_SHARE}|số lượng|a/b|a)"
_DEFINITION = _spelt(r"(?:trong đó:? ?)?(?:[a-z]|n\d?) ?(?:=|:|là) ?(?P<what>[^=/*%<≥]+)|trong đó|với")
_CONDITION = _spelt(r"\b(?:nếu|trường hợp|riêng|ngoại trừ)\b")
_NUMBERED = _spelt(r"^nếu [^:]*(?:[<≥]|dưới|từ|trở lên|lớn hơn|nhỏ hơn)")
_STATED = _spelt(r"điểm tối đa|\d điểm")
_RATE = _spelt(rf"{_SHARE} ?= ?(?:\(?a ?/ ?b\)?|[^=/*%<≥+\d]+/[^=/*%<≥+\d]+?)(?: ?\* ?100 ?%?)?")
_POINTS_OF_RATE = _spelt(rf"điểm(?: số)? ?= ?\(?(?:a ?/ ?b|{_SHARE})\)? ?\* ?{_FULL}")
_AT_LEAST = _spelt(
    rf"(?:nếu )?(?:{_WHAT} )?(?:đạt )?(?:≥ ?{_NUMBER}|(?:từ )?{_NUMBER} trở lên|lớn hơn hoặc bằng {_NUMBER})"
    r" ?: ?(?P<points>.+)"
)
_BELOW = _spelt(rf"(?:nếu )?(?:{_WHAT} )?(?:đạt )?(?:< ?{_NUMBER}|dưới {_NUMBER}|nhỏ hơn {_NUMBER}) ?: ?(?P<points>.+)")
_BETWEEN = _spelt(
    rf"(?:nếu )?(?:(?:{_WHAT} )?(?:đạt )?từ {_NUMBER} đến dưới {_NUMBER}|{_NUMBER} ?≤ ?{_WHAT} ?< ?{_NUMBER}"
    rf"|(?:{_WHAT} )?≥ ?{_NUMBER} (?:và|đến) ?< ?{_NUMBER}) ?: ?(?P<points>.+)"
)
_PROPORTIONAL = _spelt(rf"(?:điểm ?= ?)?\(?(?P<what>{_WHAT})\)? ?/ ?{_NUMBER}\)? ?\* ?{_FULL}")
_LEVEL = _spelt(r"(?P<label>[^:]+): ?(?P<points>.+)")


def understand(text: str, max_points: Decimal) -> Understood | Unclear:
    """The rule in ``text`` (column *Cách xác định và tính điểm*) of an indicator worth ``max_points``."""
    clauses = [clause for clause in _clauses(text) if not _is_definition(clause)]
    if any(_CONDITION.search(clause) and not _NUMBERED.search(clause) for clause in clauses):
        return Unclear("the scoring text holds a condition")
    if not clauses:
        return Unclear("the table gives no way of scoring")
    for form in (_yes_no, _ratio, _thresholds, _levels):
        found = form(clauses, max_points)
        if found is not None:
            return found
    return Unclear("the scoring text has no form that is understood")


def _clauses(text: str) -> list[str]:
    """Statements of the text, in lower case, one spelling and one way of writing signs."""
    signs = str.maketrans({"×": "*", "·": "*", "∗": "*", "⩾": "≥", "⩽": "≤", "“": "", "”": "", '"': ""})
    pieces = []
    for line in tidy(text).translate(signs).replace(">=", "≥").replace("<=", "≤").split("\n"):
        for sentence in _SENTENCE.split(line):
            pieces += [part for half in sentence.casefold().split(";") for part in _AFTER_POINTS.split(half)]
    found = []
    for piece in pieces:
        clause = re.sub(r"(?<=[\w%)]) x (?=[\wđ(])", " * ", _BULLET.sub("", piece))
        clause = clause.replace("tỉ lệ", "tỷ lệ").strip(" .,;")
        if clause:
            found.append(clause)
    return found


def _is_definition(clause: str) -> bool:
    """Whether the clause only says what a letter stands for, and nothing of points or conditions."""
    return bool(_DEFINITION.fullmatch(clause)) and not _CONDITION.search(clause) and not _STATED.search(clause)


def _yes_no(clauses: Sequence[str], max_points: Decimal) -> Understood | None:
    labelled = [_LEVEL.fullmatch(clause) for clause in clauses]
    if len(labelled) != 2:
        return None
    earned = {m["label"].strip(): _share(m["points"], max_points) for m in labelled if m}
    yes = [share for label, share in earned.items() if label in _YES]
    no = [share for label, share in earned.items() if label in _NO]
    return Understood("yes_no") if yes == [Decimal(1)] and no == [Decimal(0)] else None


def _ratio(clauses: Sequence[str], _: Decimal) -> Understood | None:
    kinds = ["points" if _POINTS_OF_RATE.fullmatch(c) else "rate" if _RATE.fullmatch(c) else "other" for c in clauses]
    return Understood("ratio") if kinds.count("points") == 1 and kinds.count("rate") == len(kinds) - 1 <= 1 else None


def _thresholds(clauses: Sequence[str], max_points: Decimal) -> Understood | Unclear | None:
    """``≥ 80%: full; < 80%: rate/80% * full``, or steps whose ranges meet without gap or overlap."""
    rest = [clause for clause in clauses if not _RATE.fullmatch(clause)]
    top = [m for clause in rest if (m := _AT_LEAST.fullmatch(clause))]
    low = [m for clause in rest if (m := _BELOW.fullmatch(clause))]
    between = [m for clause in rest if (m := _BETWEEN.fullmatch(clause))]
    if len(top) != 1 or len(low) != 1 or len(between) != len(rest) - 2:
        return None
    (high,), (bottom,) = _numbers(top[0]), _numbers(low[0])
    if not between and high == bottom and (part := _PROPORTIONAL.fullmatch(low[0]["points"])):
        if _share(top[0]["points"], max_points) != 1 or _numbers(part) != [high]:
            return Unclear(f"the threshold and its formula disagree: {rest[-1]!r}")
        is_share = high[1]
        if is_share == (part["what"] in {"a", "số lượng"}):
            return Unclear("whether the threshold is a share or a number is not said")
        return Understood("target_ratio" if is_share else "target_count", target=high[0])
    ranges = sorted((_range(m) for m in between), key=lambda found: found.first)
    edges = [bottom, *(edge for step in ranges for edge in (step.first, step.last)), high]
    if any(a != b for a, b in zip(edges[::2], edges[1::2], strict=True)):
        return Unclear("the steps leave a gap, or overlap")
    shares = [
        _share(points, max_points) for points in (low[0]["points"], *(r.points for r in ranges), top[0]["points"])
    ]
    thresholds = [Decimal(0), bottom[0], *(step.last[0] for step in ranges)]
    known = [share for share in shares if share is not None]
    if len(known) != len(shares) or not all(is_share for _, is_share in edges):
        return Unclear("a step's points are no known share of the maximum")
    if any(one > two for one, two in pairwise(known)) or known[-1] != 1:
        return Unclear("a higher step earns less, or none earns the maximum")
    steps = [Step(threshold=t, share=s) for t, s in zip(thresholds, known, strict=True)]
    return Understood("steps", steps=tuple(steps))


def _levels(clauses: Sequence[str], max_points: Decimal) -> Understood | None:
    labelled = [_LEVEL.fullmatch(clause) for clause in clauses]
    shares = [_share(m["points"], max_points) for m in labelled if m]
    labels = [m["label"] for m in labelled if m]
    if len(labels) != len(clauses) or len(labels) < 3 or any(re.search(r"[<≥≤%]|\d", label) for label in labels):
        return None
    known = [share for share in shares if share is not None]
    falls = len(known) == len(clauses) and all(one > two for one, two in pairwise(known))
    return Understood("levels", shares=tuple(reversed(known))) if falls and known[0] == 1 and known[-1] == 0 else None


@dataclass(frozen=True)
class _Range:
    """From ``first`` to below ``last``; each with whether it is a percentage."""

    first: tuple[Decimal, bool]
    last: tuple[Decimal, bool]
    points: str


def _range(match: re.Match[str]) -> _Range:
    first, last = _numbers(match)
    return _Range(first, last, match["points"])


def _numbers(match: re.Match[str]) -> list[tuple[Decimal, bool]]:
    """The numbers of a threshold, each with whether it is a percentage (80% is 0.8)."""
    found = []
    for number, percent in pairwise(match.groups()):
        if number is not None and percent in {"", "%"} and re.fullmatch(r"\d+(?:[.,]\d+)?", number):
            value = Decimal(number.replace(",", "."))
            found.append((value / 100 if percent else value, bool(percent)))
    return found


def _share(points: str, max_points: Decimal) -> Decimal | None:
    """The share of the maximum that ``points`` says, or None when it says something else."""
    points = points.strip()
    if re.fullmatch(_spelt(_FULL), points):
        return Decimal(1)
    if match := re.fullmatch(r"(?:được )?(\d+) ?/ ?(\d+) (?:số )?điểm tối đa", points):
        return _exact(Decimal(match[1]), Decimal(match[2]))
    if match := re.fullmatch(r"(?:được )?(\d+(?:[.,]\d+)?) ?% (?:số )?điểm tối đa", points):
        return _exact(Decimal(match[1].replace(",", ".")), Decimal(100))
    if match := re.fullmatch(r"(?:được )?(\d+(?:[.,]\d+)?) điểm", points):
        return _exact(Decimal(match[1].replace(",", ".")), max_points)
    return None


def _exact(part: Decimal, whole: Decimal) -> Decimal | None:
    """part / whole when that is a share a decimal can hold exactly; a third is not."""
    if part == 0:
        return Decimal(0)
    if whole <= 0 or part > whole:
        return None
    share = part / whole
    return share if share * whole == part else None
