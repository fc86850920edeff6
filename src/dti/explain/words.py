"""The rule of an indicator in words, and the same with the numbers filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dti.explain.figures import fixed, percent, plain, short_factor
from dti.explain.model import Level, Provenance, Words

ONE = Decimal(1)
BASIS = {
    "measured": Words(vi="đo từ hệ thống", en="measured in the agencies' systems"),
    "appraised": Words(vi="thẩm định", en="appraised"),
    "declared": Words(vi="tự đánh giá", en="self-assessed"),
    "calendar": Words(vi="theo lịch", en="the calendar's"),
}
AGGREGATION = {
    "sum": Words(vi="cộng các ngày trong kỳ", en="added up over the days of the period"),
    "last": Words(vi="giá trị biết được cuối cùng trong kỳ", en="the last known value in the period"),
    "distinct": Words(vi="đếm số khác nhau trong kỳ", en="different ones, counted once in the period"),
    "calendar": Words(vi="theo lịch của kỳ", en="follows from the period itself"),
    "stated": Words(vi="số liệu kê khai gần nhất của năm", en="the figure last stated for the year"),
}
_LEVEL = {
    "quoted": Words(vi="trích nguyên văn nguồn công bố", en="quoted from a published source"),
    "inferred": Words(vi="suy ra từ nguồn công bố", en="inferred from published sources"),
    "provisional": Words(
        vi="TẠM THỜI, chưa đối chiếu phụ lục chính thức", en="PROVISIONAL, not held against the official annex"
    ),
}


@dataclass(frozen=True)
class Term:
    """Numerator or denominator: what it is called, and its value."""

    metric: str
    name: Words
    unit: str
    value: Decimal | None


@dataclass(frozen=True)
class Scoring:
    """A rule and what it gave. ``share`` is the share of the points before it is held between 0 and 1."""

    rule: str
    max_points: Decimal
    target: Decimal | None
    steps: Sequence[tuple[Decimal, Decimal]]
    status: str
    numerator: Term
    denominator: Term | None
    value: Decimal | None
    share: Decimal | None
    points: Decimal


def provenance_words(name: Level, points: Level) -> Words:
    """How sure name and points are, plainly."""
    return Words(
        vi=f"Tên: {_LEVEL[name].vi}. Điểm: {_LEVEL[points].vi}.",
        en=f"Name: {_LEVEL[name].en}. Points: {_LEVEL[points].en}.",
    )


def provenance(name: Level, points: Level) -> Provenance:
    """Provenance of a component, with its words."""
    return Provenance(name=name, points=points, words=provenance_words(name, points))


def worst(*levels: Level) -> Level:
    """The least sure of them."""
    return max(levels, key=["quoted", "inferred", "provisional"].index)


def rule_words(scoring: Scoring) -> Words:
    """What earns the points, without figures of the unit."""
    top, n = plain(scoring.max_points), scoring.numerator.name
    d = scoring.denominator.name if scoring.denominator else Words(vi="?", en="?")
    target = target_text(scoring)
    match scoring.rule:
        case "yes_no":
            return Words(
                vi=f"Có hoặc không: có ({n.vi} từ 1 trở lên) thì đủ {top} điểm, không thì 0 điểm.",
                en=f"Yes or no: yes ({n.en}, 1 or more) earns all {top} points, no earns none.",
            )
        case "ratio":
            return Words(
                vi=f"Tỷ lệ: {n.vi} trên {d.vi}, nhân với {top} điểm; tối đa {top} điểm.",
                en=f"Ratio: {n.en} over {d.en}, times {top} points; at most {top}.",
            )
        case "target_ratio":
            return Words(
                vi=f"Tỷ lệ so với mục tiêu: {n.vi} trên {d.vi}; đạt {target} thì đủ {top} điểm, ít hơn thì theo phần.",
                en=f"Ratio against a target: {n.en} over {d.en}; {target} earns all {top} points, less earns a part.",
            )
        case "target_count":
            return Words(
                vi=f"Số lượng so với mục tiêu: {n.vi}; đạt {target} thì đủ {top} điểm, thấp hơn thì theo tỷ lệ.",
                en=f"Count against a target: {n.en}; {target} earns all {top} points, less earns that part.",
            )
        case "steps":
            return Words(
                vi=f"Theo mức của {n.vi}: " + "; ".join(f"từ {plain(a)}: {percent(b)}" for a, b in scoring.steps)
                + f" của {top} điểm; dưới mức thấp nhất: 0 điểm.",
                en=f"By level of {n.en}: " + "; ".join(f"from {plain(a)}: {percent(b)}" for a, b in scoring.steps)
                + f" of {top} points; below the lowest: none.",
            )  # fmt: skip
        case "manual":
            return Words(
                vi=f"Điểm được cho trực tiếp (tự đánh giá hoặc thẩm định), trên tối đa {top} điểm.",
                en=f"The points themselves are stated (self-assessed or appraised), out of {top}.",
            )
    return Words(vi=f"Quy tắc {scoring.rule}, tối đa {top} điểm.", en=f"Rule {scoring.rule}, at most {top} points.")


def calculation_words(scoring: Scoring) -> Words:
    """The rule with the unit's figures, so that it can be followed on a pocket calculator."""
    top = plain(scoring.max_points)
    if scoring.status == "missing":
        return _missing(scoring, top)
    if scoring.status == "undefined":
        return _undefined(scoring, top)
    return points_words(_value_words(scoring), scoring)


def points_words(value: Words, scoring: Scoring) -> Words:
    """What a value said as ``value`` earns: the factor, and the points."""
    top = plain(scoring.max_points)
    share = min(ONE, max(Decimal(0), scoring.share or Decimal(0)))
    factor = short_factor(scoring.max_points, share)
    result = f"{top} × {factor} = {fixed(scoring.points)}"
    over = scoring.share is not None and scoring.share > 1
    low = scoring.share is not None and scoring.share < 0
    capped = Words(
        vi=f" (vượt mức, {percent(scoring.share or ONE)}: tính 100 %)" if over else " (âm: tính 0)" if low else "",
        en=f" (beyond the whole, {percent(scoring.share or ONE)}: counts as 100 %)" if over
        else " (negative: counts as 0)" if low else "",
    )  # fmt: skip
    return Words(
        vi=f"{value.vi}{capped.vi} → {result} trên {top} điểm", en=f"{value.en}{capped.en} → {result} of {top} points"
    )


def mean_words(former: Sequence[tuple[str, Decimal]], points: Decimal, max_points: Decimal) -> Words:
    """The mean of what former provinces earned, with its numbers."""
    said = f"({' + '.join(f'{name} {fixed(earned)}' for name, earned in former)}) / {len(former)} = {fixed(points)}"
    top = plain(max_points)
    return Words(vi=f"Trung bình các tỉnh cũ: {said} trên {top} điểm", en=f"Mean: {said} of {top} points")


def target_text(scoring: Scoring) -> str:
    """The target: a share of like things as percent, anything else as a number."""
    if scoring.target is None:
        return ""
    return value_text(scoring, scoring.target)


def value_text(scoring: Scoring, value: Decimal) -> str:
    """A value of the indicator: a share of like things as percent, anything else as a number."""
    return percent(value, 6) if _of_like(scoring) else plain(value, 9)


def _value_words(scoring: Scoring) -> Words:
    n, d = scoring.numerator, scoring.denominator
    number = plain(n.value or Decimal(0))
    target = target_text(scoring)
    if scoring.rule in ("ratio", "target_ratio") and d is not None:
        below, value = plain(d.value or Decimal(0)), _value_text(scoring)
        said = Words(
            vi=f"{n.name.vi} {number} / {d.name.vi} {below} = {value}",
            en=f"{number} of {below} {n.unit} = {value}" if _of_like(scoring)
            else f"{number} {n.unit} over {below} {d.unit} = {value}",
        )  # fmt: skip
        if scoring.rule == "ratio":
            return said
        return Words(vi=f"{said.vi}; mục tiêu {target}", en=f"{said.en}; target {target}")
    match scoring.rule:
        case "yes_no":
            yes = (scoring.value or Decimal(0)) >= 1
            return Words(
                vi=f"{n.name.vi} = {number}: {'có' if yes else 'không'}",
                en=f"{n.name.en} = {number}: {'yes' if yes else 'no'}",
            )
        case "target_count":
            return Words(vi=f"{n.name.vi} {number}; mục tiêu {target}", en=f"{number} {n.unit}; target {target}")
        case "steps":
            reached = max((a for a, _ in scoring.steps if a <= (scoring.value or Decimal(0))), default=None)
            if reached is None:
                return Words(
                    vi=f"{n.name.vi} = {number}: dưới mức thấp nhất", en=f"{n.name.en} = {number}: below the lowest"
                )
            return Words(
                vi=f"{n.name.vi} = {number}: đạt mức {plain(reached)}",
                en=f"{n.name.en} = {number}: reaches {plain(reached)}",
            )
        case "manual":
            return Words(vi=f"được cho {number} điểm", en=f"{number} points stated")
    return Words(vi=f"{n.name.vi} = {number}", en=f"{n.name.en} = {number}")


def _value_text(scoring: Scoring) -> str:
    """The ratio with as many places as the reader needs to arrive at the factor that follows."""
    value, target = scoring.value or Decimal(0), scoring.target or ONE
    factor = short_factor(scoring.max_points, min(ONE, max(Decimal(0), value / target)))
    for places in range(4, 13):
        shown = round(value, places)
        if short_factor(scoring.max_points, min(ONE, max(Decimal(0), shown / target))) == factor:
            return percent(value, places - 2) if _of_like(scoring) else plain(value, places)
    return percent(value, 10) if _of_like(scoring) else plain(value, 12)


def _of_like(scoring: Scoring) -> bool:
    d = scoring.denominator
    return d is not None and d.unit == scoring.numerator.unit


def _missing(scoring: Scoring, top: str) -> Words:
    terms = [scoring.numerator, *([scoring.denominator] if scoring.denominator else [])]
    unknown = [term for term in terms if term.value is None]
    known = [term for term in terms if term.value is not None]
    also = Words(
        vi="".join(f" ({t.name.vi} = {plain(t.value or 0)} thì đã biết)" for t in known),
        en="".join(f" ({t.name.en} = {plain(t.value or 0)} is known)" for t in known),
    )
    return Words(
        vi=f"Thiếu số liệu: {' và '.join(t.name.vi for t in unknown)}{also.vi} → 0 trên {top} điểm, giảm độ phủ",
        en=f"Missing: nobody gave {' and '.join(t.name.en for t in unknown)}{also.en} → 0 of {top} points,"
        " and coverage is lower",
    )


def _undefined(scoring: Scoring, top: str) -> Words:
    n, d = scoring.numerator, scoring.denominator
    number = plain(n.value or Decimal(0))
    below = plain(d.value or Decimal(0)) if d else "0"
    name = d.name if d else Words(vi="mẫu số", en="the denominator")
    return Words(
        vi=f"Không xác định: {n.name.vi} {number} / {name.vi} {below}: không chia được → 0 trên {top} điểm,"
        " độ phủ không giảm vì đã có số liệu",
        en=f"Undefined: {number} over {below} ({name.en}) is no share → 0 of {top} points; coverage is not lower:"
        " the data did arrive",
    )
