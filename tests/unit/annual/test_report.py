"""The report: what it must say, what it must never do, and that it is sound HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import html5lib
import pytest

from dti.annual.checks import candidate_checks
from dti.annual.checks_sql import rows
from dti.annual.difference import differ
from dti.annual.difference_sides import laid_beside
from dti.annual.limits import CHECK_NAMES
from dti.annual.model import CheckResult
from dti.annual.report import TITLES, Findings, render
from dti.annual.report_chart import UnitRank, rank_chart
from dti.annual.report_summary import summary_md
from tests.builders.candidates import DAK_LAK, HA_NOI, LAM_DONG, Desk

BEFORE = {(HA_NOI, "n"): 80, (HA_NOI, "k"): 60, (DAK_LAK, "n"): 50, (DAK_LAK, "k"): 50, (LAM_DONG, "n"): 90}
AFTER = BEFORE | {(DAK_LAK, "n"): 100}
EVIL = "<script>alert('x')</script> & [a](http://evil) | `b`"


def findings(desk: Desk, before: Any = None, after: Any = None, **request: Any) -> Findings:
    if before is not None:
        desk.publish(desk.run("annual-2026-r0", before))
    run = desk.run("annual-2026-r1", AFTER if after is None else after, framework_in_force=False)
    desk.restate(DAK_LAK, "source-n", "2026-05-04")
    desk.correct(run, "dak-lak-n", "n", status="expired", reason=EVIL)
    asked = desk.request(run, **request)
    known = {"run_id": run.run_id}
    with laid_beside(desk.connection, run.run_id, desk.settings) as sides:
        return Findings(
            request=asked,
            checks=candidate_checks(desk.connection, asked, sides, desk.settings),
            difference=differ(desk.connection, asked.request_id, sides, desk.settings),
            framework=rows(desk.connection, desk.settings, "difference/framework", **known)[0],
            indices=rows(desk.connection, desk.settings, "difference/index_value", **known),
            corrections=rows(desk.connection, desk.settings, "difference/correction", **known),
        )


def words(html: str) -> str:
    """What a person reads, on one line."""
    tree = html5lib.parse(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL), namespaceHTMLElements=False)
    return " ".join("".join(tree.itertext()).split())


def test_it_tells_all_that_the_approver_must_know(desk: Desk) -> None:
    told = words(render(findings(desk, BEFORE, reason="Đắk Lắk sent its May again")))
    for needed in (
        "Recomputation of 2026", "Tính lại năm 2026: Chỉ số nhỏ", "Đắk Lắk sent its May again", "Nguyễn Văn An",
        "2027-03-01 06:00", "Made-up data", "Số liệu giả lập", "Estimate", "annual-2026-r1", "2026.dti.34.v1",
        "no night computed 2026", "source-n", "expired, not applied", "Approve", "Reject", "Từ chối",
        "2 of 34 units changed rank in ALL", "Đắk Lắk 2 → 1", "1.1 Chỉ số 1.1",
    ):  # fmt: skip
        assert needed in told, needed


def test_every_check_has_a_title_a_mark_and_a_word(desk: Desk) -> None:
    assert set(TITLES) == set(CHECK_NAMES)
    found = findings(desk, BEFORE, reason="x")
    statuses = ["passed", "warning", "failed", "accepted"] * 3
    checks = [
        CheckResult.model_validate({"check_name": name, "status": status, "message": f"{name} says"})
        for name, status in zip(CHECK_NAMES, statuses, strict=False)
    ]
    told = words(render(replace(found, checks=checks)))
    assert all(f"{name} says" in told for name in CHECK_NAMES)
    assert all(
        f"{mark}{word}" in told for mark, word in (("✓", "Passed"), ("!", "To weigh"), ("✗", "Failed, accepted"))
    )


def test_a_failed_check_says_how_to_go_on_and_asks_nobody(desk: Desk) -> None:
    found = findings(desk, BEFORE, AFTER | {(HA_NOI, "k"): 20})
    assert [check.check_name for check in found.failed] == ["index_moves_explained"]
    told = words(render(found))
    assert "Stopped by 1 check" in told
    assert "accept the check by its name: index_moves_explained" in told
    assert "Required Actions" not in told


def test_words_of_others_stay_words(desk: Desk) -> None:
    found = findings(desk, BEFORE, reason=EVIL, requester=EVIL)
    unit = found.difference.publication.moves[0].model_copy(update={"unit_name": EVIL})
    moved = found.difference.publication.model_copy(update={"moves": [unit]})
    found = replace(
        found,
        difference=found.difference.model_copy(update={"publication": moved}),
        indices=[row | {"unit_name": EVIL} for row in found.indices],
    )
    html = render(found)
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    assert list(tree.iter("script")) == []
    assert words(html).count("<script>alert('x')</script>") >= 5
    markdown = summary_md(found)
    assert "<script>" not in markdown.replace("\\<", "")
    assert "[a](http" not in markdown


def test_it_is_sound_html_and_needs_nothing_else(desk: Desk) -> None:
    html = render(findings(desk, BEFORE))
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(html)
    assert not re.findall(r"(?:src|href)=\"(?!#)", html), "nothing is fetched and no link leaves the page"
    assert "url(" not in html
    assert "@import" not in html
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert {each.get("href").removeprefix("#") for each in tree.iter("a")} <= set(ids)
    for table in tree.iter("table"):
        assert table.findall("./thead/tr/th[@scope='col']"), "every column has a header"
    assert len(list(tree.iter("h1"))) == 1
    (picture,) = (each for each in tree.iter() if each.get("role") == "img")
    assert "2 of 34 units changed" in picture.get("aria-label")
    assert "aria-label" not in html[html.index("<svg") : html.index("</svg>")], "what is drawn is not read out again"


def test_without_anything_to_compare_it_says_so_and_draws_nothing(desk: Desk) -> None:
    html = render(findings(desk))
    assert "2026 (dti) has not been published yet" in words(html)
    assert "<svg" not in html


def test_the_summary_is_short_and_names_the_farthest_moves(desk: Desk) -> None:
    markdown = summary_md(findings(desk, BEFORE, reason="Đắk Lắk sent its May again"))
    assert len(markdown) < 4000
    assert "| Đắk Lắk | 2 → 1 ▲1 | 0.4000 → 0.5500 | 1.1 (+0.1500) |" in markdown
    assert "| Hà Nội | 1 → 2 ▼1 |" in markdown
    assert "only others moved" in markdown


@pytest.mark.parametrize(("before", "after", "said"), [(5, 2, "▲3"), (2, 5, "▼3"), (4, 4, "4 Huế")])
def test_the_picture_says_in_words_what_its_colours_say(before: int, after: int, said: str) -> None:
    drawn = rank_chart([UnitRank("Huế", before, after), UnitRank("<b>", 1, 1)], "then", "now")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert any(said in " ".join(text.split()) for text in texts), texts
    assert "<b>" not in drawn
    assert any("&lt;b&gt;" in text for text in texts)
