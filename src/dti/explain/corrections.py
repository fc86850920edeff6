"""What was corrected of an indicator or of a metric behind it, and what an expired correction would have done."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from dti.explain.figures import plain
from dti.explain.model import CorrectionTold, RunOf, Unit, Words
from dti.explain.store import Row, rows
from dti.explain.words import Scoring, points_words, target_text, value_text

_ACTION = {
    "drop": Words(vi="bỏ", en="drop"),
    "override": Words(vi="thay bằng", en="override with"),
    "scale": Words(vi="nhân với", en="scale by"),
    "flag": Words(vi="lưu ý", en="flag"),
}
_STATUS = {
    "applied": Words(vi="đã áp dụng", en="applied"),
    "flagged": Words(vi="chỉ nêu, không đổi giá trị", en="shown, nothing changed"),
    "expired": Words(
        vi="HẾT HIỆU LỰC, không áp dụng: nguồn không còn như khi viết đính chính", en="EXPIRED, not applied"
    ),
    "not_applicable": Words(vi="không áp dụng", en="not applied"),
}


def corrections_of(
    connection: Connection, run: RunOf, unit: Unit, indicator: Row, metrics: Sequence[str]
) -> list[CorrectionTold]:
    """Every correction of the indicator and of its metrics, with those of former provinces that the run merges."""
    found = rows(
        connection,
        """
        select * from score.correction
        where
            run_id = any(:runs) and unit_id = any(:units)
            and (
                (target_kind = 'indicator' and target = :code)
                or (target_kind = 'metric' and target = any(:metrics) and (basis <> 'measured' or feed = :feed))
            )
        order by target_kind, target, basis, unit_id, position, correction_id
        """,
        runs=[run.run_id, *([run.parts_run_id] if run.parts_run_id else [])],
        units=[unit.unit_id, *(unit.former_unit_ids if run.merge_method != "none" else [])],
        code=indicator["indicator_code"],
        metrics=list(metrics),
        feed=indicator["feed"],
    )
    return [_told(row) for row in found]


def corrected_calculation(scoring: Scoring, row: Row) -> Words:
    """The points of a corrected indicator, as ``calculation_words`` tells those of any other."""
    before = row["original_value"]
    vi, en = ("không có", "nothing") if before is None else (value_text(scoring, before),) * 2
    name = row["correction_id"]
    if row["value"] is None:
        top = plain(scoring.max_points)
        return Words(
            vi=f"Đính chính {name}: bỏ giá trị {vi} → 0 trên {top} điểm, giảm độ phủ",
            en=f"Correction {name}: {en} dropped → 0 of {top} points, and coverage is lower",
        )
    now, target = value_text(scoring, row["value"]), target_text(scoring)
    said = Words(
        vi=f"Đính chính {name}: {now} thay cho {vi}" + (f"; mục tiêu {target}" if target else ""),
        en=f"Correction {name}: {now} in place of {en}" + (f"; target {target}" if target else ""),
    )
    return points_words(said, scoring)


def behind_note(corrections: Sequence[CorrectionTold]) -> list[Words]:
    """That the records behind are not what counts, where a figure was corrected."""
    changed = sorted({c.target for c in corrections if c.target_kind == "metric" and c.status == "applied"})
    if not changed:
        return []
    return [
        Words(
            vi=f"Số liệu {', '.join(changed)} đã được đính chính; bản ghi bên dưới là những gì nguồn gửi.",
            en=f"{', '.join(changed)} was corrected; the records below are what the source sent.",
        )
    ]


def _told(row: Row) -> CorrectionTold:
    action, status = _ACTION[row["action"]], _STATUS[row["status"]]
    given = "" if row["given_value"] is None else f" {plain(row['given_value'], 9)}"
    before, after = (
        None if row[name] is None else plain(row[name], 9) for name in ("original_value", "corrected_value")
    )
    changed = Words(
        vi=f": {before or 'không có'} → {after or 'không có'}", en=f": {before or 'nothing'} → {after or 'nothing'}"
    )  # fmt: skip
    if row["status"] != "applied":
        changed = Words(vi="", en="")
    return CorrectionTold(
        correction_id=row["correction_id"],
        target_kind=row["target_kind"],
        target=row["target"],
        basis=row["basis"] or None,
        unit_id=row["unit_id"],
        action=row["action"],
        status=row["status"],
        given=row["given_value"],
        original=row["original_value"],
        corrected=row["corrected_value"],
        guard=row["guard_value"],
        guard_first_day=row["guard_first_day"],
        guard_last_day=row["guard_last_day"],
        held=row["held_value"],
        first_day=row["first_day"],
        last_day=row["last_day"],
        reason=row["reason"],
        document=row["document"],
        detail=row["detail"],
        words=Words(
            vi=f"{action.vi}{given}, {status.vi}{changed.vi}", en=f"{action.en}{given}, {status.en}{changed.en}"
        ),
    )
