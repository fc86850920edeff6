"""The rule with its numbers: what is said must be what a pocket calculator finds."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dti.explain.figures import THIN, fixed, percent, plain, short_factor
from dti.explain.model import Words
from dti.explain.words import Scoring, Term, calculation_words, provenance_words, rule_words


def scoring(rule: str = "ratio", n: object = 1, d: object = None, **more: Any) -> Scoring:
    """A scored indicator of 10 points unless told otherwise; points follow from the share."""
    numerator = None if n is None else Decimal(str(n))
    denominator = None if d is None else Decimal(str(d))
    top = Decimal(str(more.get("max_points", 10)))
    share = more.get("share")
    share = None if share is None else Decimal(share)
    return Scoring(
        rule=rule,
        max_points=top,
        target=Decimal(str(more["target"])) if "target" in more else None,
        steps=[(Decimal(0), Decimal(0)), (Decimal(1), Decimal("0.5")), (Decimal(2), Decimal(1))],
        status=more.get("status", "scored"),
        numerator=Term("n", Words(vi="Tử", en="Upper"), "dossiers", numerator),
        denominator=Term("d", Words(vi="Mẫu", en="Lower"), more.get("unit", "dossiers"), denominator)
        if "denominator" in more or d is not None
        else None,
        value=numerator / denominator if numerator is not None and denominator else numerator,
        share=share,
        points=top * min(Decimal(1), max(Decimal(0), share)) if share is not None else Decimal(0),
    )


@pytest.mark.parametrize(
    ("given_scoring", "en", "vi"),
    [
        (
            scoring("target_ratio", 222, 673, target="0.5", max_points=15, share=Decimal(222) / 673 / Decimal("0.5")),
            "222 of 673 dossiers = 32.9866 %; target 50 % → 15 × 0.65973 = 9.8960 of 15 points",
            "Tử 222 / Mẫu 673 = 32.9866 %; mục tiêu 50 % → 15 × 0.65973 = 9.8960 trên 15 điểm",
        ),
        (
            scoring("ratio", 3, 4, share="0.75"),
            "3 of 4 dossiers = 75 % → 10 × 0.75 = 7.5000 of 10 points",
            "Tử 3 / Mẫu 4 = 75 % → 10 × 0.75 = 7.5000 trên 10 điểm",
        ),
        (
            scoring("target_ratio", 6, 3, target=4, unit="months", share="0.5"),
            "6 dossiers over 3 months = 2; target 4 → 10 × 0.5 = 5.0000 of 10 points",
            "Tử 6 / Mẫu 3 = 2; mục tiêu 4 → 10 × 0.5 = 5.0000 trên 10 điểm",
        ),
        (
            scoring("target_count", 5, target=4, share="1.25"),
            "5 dossiers; target 4 (beyond the whole, 125 %: counts as 100 %) → 10 × 1 = 10.0000 of 10 points",
            "Tử 5; mục tiêu 4 (vượt mức, 125 %: tính 100 %) → 10 × 1 = 10.0000 trên 10 điểm",
        ),
        (
            scoring("yes_no", 1, share=1),
            "Upper = 1: yes → 10 × 1 = 10.0000 of 10 points",
            "Tử = 1: có → 10 × 1 = 10.0000 trên 10 điểm",
        ),
        (
            scoring("yes_no", 0, share=0),
            "Upper = 0: no → 10 × 0 = 0.0000 of 10 points",
            "Tử = 0: không → 10 × 0 = 0.0000 trên 10 điểm",
        ),
        (
            scoring("steps", "1.5", share="0.5"),
            "Upper = 1.5: reaches 1 → 10 × 0.5 = 5.0000 of 10 points",
            "Tử = 1.5: đạt mức 1 → 10 × 0.5 = 5.0000 trên 10 điểm",
        ),
        (
            scoring("steps", -1, share=0),
            "Upper = -1: below the lowest → 10 × 0 = 0.0000 of 10 points",
            "Tử = -1: dưới mức thấp nhất → 10 × 0 = 0.0000 trên 10 điểm",
        ),
        (
            scoring("manual", 7, share="0.7"),
            "7 points stated → 10 × 0.7 = 7.0000 of 10 points",
            "được cho 7 điểm → 10 × 0.7 = 7.0000 trên 10 điểm",
        ),
        (
            scoring("ratio", -2, 4, share="-0.5"),
            "-2 of 4 dossiers = -50 % (negative: counts as 0) → 10 × 0 = 0.0000 of 10 points",
            "Tử -2 / Mẫu 4 = -50 % (âm: tính 0) → 10 × 0 = 0.0000 trên 10 điểm",
        ),
        (
            scoring("ratio", None, 4, status="missing"),
            "Missing: nobody gave Upper (Lower = 4 is known) → 0 of 10 points, and coverage is lower",
            "Thiếu số liệu: Tử (Mẫu = 4 thì đã biết) → 0 trên 10 điểm, giảm độ phủ",
        ),
        (
            scoring("ratio", None, denominator=None, status="missing"),
            "Missing: nobody gave Upper and Lower → 0 of 10 points, and coverage is lower",
            "Thiếu số liệu: Tử và Mẫu → 0 trên 10 điểm, giảm độ phủ",
        ),
        (
            scoring("ratio", 3, 0, status="undefined"),
            "Undefined: 3 over 0 (Lower) is no share → 0 of 10 points; coverage is not lower: the data did arrive",
            "Không xác định: Tử 3 / Mẫu 0: không chia được → 0 trên 10 điểm, độ phủ không giảm vì đã có số liệu",
        ),
    ],
)
def test_every_rule_with_its_numbers(given_scoring: Scoring, en: str, vi: str) -> None:
    said = calculation_words(given_scoring)
    assert said.en == en
    assert said.vi == vi


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("yes_no", "Yes or no: yes (Upper, 1 or more) earns all 10 points, no earns none."),
        ("ratio", "Ratio: Upper over Lower, times 10 points; at most 10."),
        ("target_ratio", "Ratio against a target: Upper over Lower; 50 % earns all 10 points, less earns a part."),
        ("target_count", "Count against a target: Upper; 50 % earns all 10 points, less earns that part."),
        ("steps", "By level of Upper: from 0: 0 %; from 1: 50 %; from 2: 100 % of 10 points; below the lowest: none."),
        ("manual", "The points themselves are stated (self-assessed or appraised), out of 10."),
    ],
)
def test_every_rule_in_words(rule: str, words: str) -> None:
    said = rule_words(scoring(rule, 1, 2, target="0.5", share="0.5"))
    assert said.en == words
    assert said.vi != said.en


def test_provenance_is_told_plainly() -> None:
    said = provenance_words("inferred", "provisional")
    assert said.en == "Name: inferred from published sources. Points: PROVISIONAL, not held against the official annex."
    assert "TẠM THỜI" in said.vi


@given(
    n=st.integers(0, 10**9),
    d=st.integers(1, 10**9),
    target=st.sampled_from(["0.02", "0.5", "0.9", "1", "4"]),
    top=st.sampled_from([5, 10, 15, 20]),
)
def test_a_pocket_calculator_arrives_at_the_points(n: int, d: int, target: str, top: int) -> None:
    share = Decimal(n) / d / Decimal(target)
    said = calculation_words(scoring("target_ratio", n, d, target=target, max_points=top, share=share)).en
    found = re.search(r"→ (\d+) × ([\d.]+) = ([\d.]+) of", said)
    assert found is not None
    product = (Decimal(found[1]) * Decimal(found[2])).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    assert product == Decimal(found[3])
    exact = (top * min(Decimal(1), share)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    assert product == exact


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (plain(Decimal("1234567.5")), f"1{THIN}234{THIN}567.5"),
        (plain(Decimal("9999")), "9999"),
        (plain(Decimal("-12345")), f"-12{THIN}345"),
        (plain(Decimal("0.10")), "0.1"),
        (plain(Decimal("-0.0000001")), "0"),
        (plain(Decimal(10)), "10"),
        (fixed(Decimal("0.66667"), 4), "0.6667"),
        (fixed(Decimal("0.00005"), 4), "0.0001"),
        (percent(Decimal("0.329866")), "32.99 %"),
        (short_factor(Decimal(15), Decimal(2) / 3), "0.666667"),
        (plain(Decimal("1" * 40)), THIN.join(["1", *["111"] * 13])),
    ],
)
def test_figures_read_the_same_in_both_languages(shown: str, text: str) -> None:
    assert shown == text
