"""The summary that stands where the approver decides: short, in Markdown."""

from __future__ import annotations

import re

from dti.annual.difference_model import Comparison, Move
from dti.annual.model import CheckResult
from dti.annual.report import MARKS, TITLES, Findings, moment_here

MOVES_SHOWN = 10


def summary_md(findings: Findings) -> str:
    """Title, what and why and by whom, the numbers, the checks, and the farthest moves in rank."""
    request, difference = findings.request, findings.difference
    candidate = difference.candidate
    asked = f"{_safe(request.requester)} ({request.door}, {moment_here(request.requested_at)})"
    units = f"{difference.units_count} of geography {candidate.geography}, merged: {candidate.merge_method}"
    lines = [
        f"## {request.year}: {findings.framework['name_vi']} · {request.framework_id}",
        "",
        *_banners(findings),
        f"**Why · Lý do:** {_safe(request.reason)}  ",
        f"**Asked by · Người yêu cầu:** {asked}  ",
        f"**Cut-off · Chốt số liệu:** {moment_here(request.data_cut_off)}  ",
        f"**Units · Đơn vị:** {units}  ",
        f"**Candidate · Dự thảo:** `{candidate.run_id}`",
        "",
        "| | Check · Kiểm tra | |",
        "|---|---|---|",
        *map(_check, findings.checks),
    ]
    for comparison in (difference.publication, difference.night):
        lines += ["", *_moves(comparison, difference.measures[0].code)]
    return "\n".join(lines) + "\n"


def _check(check: CheckResult) -> str:
    mark, word, _ = MARKS[check.status]
    return f"| {mark} {word} | {TITLES[check.check_name][0]} | {_safe(check.message)} |"


def _banners(findings: Findings) -> list[str]:
    candidate = findings.difference.candidate
    found = []
    if candidate.synthetic:
        found.append("> **Made-up data · Số liệu giả lập:** no figure says anything about a real province.")
    if not candidate.framework_in_force:
        found.append(f"> **Estimate · Ước tính:** {candidate.framework_id} does not cover {candidate.year}.")
    return [line for banner in found for line in (banner, "")]


def _moves(comparison: Comparison, code: str) -> list[str]:
    title = {"publication": "last publication · lần công bố trước", "night": "newest night · đêm mới nhất"}
    head = f"**Against the {title[comparison.against]}**"
    if comparison.side is None or not comparison.is_comparable:
        return [f"{head}: {_safe(comparison.why_not)}."]
    changed = comparison.rank_changes(code)
    told = f"{head} `{comparison.side.name}`: {len(changed)} unit(s) changed rank in {code}"
    if not changed:
        return [f"{told}."]
    rest = len(changed) - MOVES_SHOWN
    return [
        f"{told}, {len(comparison.rank_changes())} ranks in all composites and pillars.",
        "",
        f"| Unit · Đơn vị | Rank · Hạng | {code} | Behind it · Chỉ số thành phần |",
        "|---|---|---|---|",
        *(_row(move) for move in changed[:MOVES_SHOWN]),
        *([f"| … and {rest} more | | | |"] if rest > 0 else []),
    ]


def _row(move: Move) -> str:
    arrow = "▲" if move.ranks_gained > 0 else "▼"
    behind = ", ".join(f"{part.indicator_code} ({part.contribution:+.4f})" for part in move.indicators[:3])
    return (
        f"| {_safe(move.unit_name)} | {move.rank_before} → {move.rank_after} {arrow}{abs(move.ranks_gained)} |"
        f" {move.value_before} → {move.value_after} | {behind or 'only others moved'} |"
    )


def _safe(words: str) -> str:
    """Text of others as text: on one line, and no mark-up in it."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", " ".join(words.split()))
