"""Scoring texts: the forms that are understood, to the last word, and those that must be left to a person."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dti.index.annex.scoring import Unclear, Understood, understand

TEN = Decimal(10)

UNDERSTOOD = {
    "- Có: điểm tối đa;\n- Không: 0 điểm": "yes_no",
    "Có: Điểm tối đa, không: 0 điểm.": "yes_no",
    "+ Đã ban hành: 10 điểm\n+ Chưa ban hành: 0 điểm": "yes_no",
    "Có: Điểm tối đa. Chưa có: 0 điểm": "yes_no",
    "a = Số xã có tổ; b = Tổng số xã;\nĐiểm = a/b * Điểm tối đa": "ratio",
    "- a: Số hồ sơ\n- b: Tổng số hồ sơ\n- Tỷ lệ = a/b\n- Điểm = Tỷ lệ x Điểm tối đa": "ratio",
    "Tỉ lệ (%) = a/b * 100%\nĐiểm = Tỷ lệ (%) × Điểm tối đa": "ratio",
    "Tỷ lệ = số cơ quan kết nối / tổng số cơ quan\nĐiểm = tỷ lệ · điểm tối đa": "ratio",
    "≥ 80%: điểm tối đa; < 80%: tỷ lệ/80% * điểm tối đa": "target_ratio 0.8",
    "Tỷ lệ >= 99,9%: Điểm tối đa;\nTỉ lệ < 99,9%: Điểm = Tỷ lệ/99,9% × Điểm tối đa": "target_ratio 0.999",
    "Từ 50% trở lên: 10 điểm\nDưới 50%: (a/b)/50% * điểm tối đa": "target_ratio 0.5",
    "Nếu tỷ lệ ≥ 80%: điểm tối đa; nếu tỷ lệ < 80%: tỷ lệ/80% * điểm tối đa": "target_ratio 0.8",
    "≥ 2: điểm tối đa; < 2: số lượng/2 * điểm tối đa": "target_count 2",
    "Từ 90% trở lên: điểm tối đa\nTừ 50% đến dưới 90%: 1/2 điểm tối đa\nDưới 50%: 0 điểm": "steps 0=0;0.5=0.5;0.9=1",
    "≥ 70%: điểm tối đa; 30% ≤ tỷ lệ < 70%: 4 điểm; < 30%: 1 điểm": "steps 0=0.1;0.3=0.4;0.7=1",
    "≥ 60%: điểm tối đa; < 60%: 0 điểm": "steps 0=0;0.6=1",
    "- Bí thư là Trưởng ban: Điểm tối đa; Phó Bí thư: 1/2 Điểm tối đa; Khác: 0 điểm": "levels 0;0.5;1",
}

LEFT_TO_A_PERSON = {
    "": "no way of scoring",
    "a = Số hồ sơ; b = Tổng số hồ sơ": "no way of scoring",
    "Theo hướng dẫn của Bộ": "no form",
    "Có: điểm tối đa; Không: 0 điểm. Riêng năm đầu: 5 điểm": "condition",
    "Điểm = a/b * Điểm tối đa\nNếu b = 0 thì được điểm tối đa": "condition",
    "a = số hồ sơ; b = tổng số, trường hợp b = 0 được điểm tối đa; Điểm = a/b * Điểm tối đa": "condition",
    "Điểm = a/b * Điểm tối đa * hệ số k": "no form",
    "Điểm = (a + c)/b * Điểm tối đa": "no form",
    "Điểm = a/b * 20": "no form",
    "Có: 8 điểm; Không: 0 điểm": "no form",
    "Có: điểm tối đa; Không: 2 điểm": "no form",
    "Không: điểm tối đa; Có: 0 điểm": "no form",
    "≥ 80%: điểm tối đa; < 80%: tỷ lệ/70% * điểm tối đa": "disagree",
    "≥ 80%: 8 điểm; < 80%: tỷ lệ/80% * điểm tối đa": "disagree",
    "≥ 80%: điểm tối đa; < 70%: tỷ lệ/70% * điểm tối đa": "gap",
    "Từ 90% trở lên: điểm tối đa\nTừ 50% đến dưới 80%: 1/2 điểm tối đa\nDưới 50%: 0 điểm": "gap",
    "Từ 90% trở lên: điểm tối đa\nTừ 50% đến dưới 90%: 1/3 điểm tối đa\nDưới 50%: 0 điểm": "share of the maximum",
    "Từ 90% trở lên: 1/2 điểm tối đa\nTừ 50% đến dưới 90%: điểm tối đa\nDưới 50%: 0 điểm": "higher step earns less",
    "≥ 4: điểm tối đa; < 4: tỷ lệ/4% * điểm tối đa": "disagree",
    "A: điểm tối đa; B: 1/3 điểm tối đa; C: 0 điểm": "no form",
    "A: 1/2 điểm tối đa; B: điểm tối đa; C: 0 điểm": "no form",
}


def shown(read: Understood | Unclear) -> str:
    if isinstance(read, Unclear):
        return read.why
    parts: list[str] = [read.form]
    if read.target is not None:
        parts.append(f"{read.target.normalize():f}")
    if read.steps:
        parts.append(";".join(f"{s.threshold.normalize():f}={s.share.normalize():f}" for s in read.steps))
    if read.shares:
        parts.append(";".join(f"{share.normalize():f}" for share in read.shares))
    return " ".join(parts)


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_a_known_form_is_understood(text: str) -> None:
    assert shown(understand(text, TEN)) == UNDERSTOOD[text]


@pytest.mark.parametrize("text", LEFT_TO_A_PERSON)
def test_what_is_not_wholly_known_is_left_to_a_person(text: str) -> None:
    read = understand(text, TEN)
    assert isinstance(read, Unclear), read
    assert LEFT_TO_A_PERSON[text] in read.why


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_one_sentence_more_makes_any_text_unclear(text: str) -> None:
    assert isinstance(understand(f"{text}\nĐiểm thưởng do Hội đồng quyết định", TEN), Unclear)
