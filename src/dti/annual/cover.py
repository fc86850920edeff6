"""The first sheet of a workbook: what was published, when, by whom and why, and how to read it, in two languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dti.annual.publication import Publication
from dti.clock import ZONE

Line = tuple[str, str, str]
"""Style (title, name, text, warning), left, right."""

_MERGING = {
    "none": "không gộp · the units' own data",
    "average": "trung bình điểm của các tỉnh cũ · mean of the former provinces' points",
    "recomputed": "tính lại từ số liệu gộp của các tỉnh cũ · from the former provinces' merged figures",
}
_READING = (
    (
        "Chỉ số · Index",
        "Từ 0 đến 1, làm tròn một lần, sau cùng.",
        "From 0 to 1, rounded once, at the very end.",
    ),
    (
        "Hạng · Rank",
        "Xếp theo chỉ số đã làm tròn; bằng nhau thì cùng hạng (15, 15, 17).",
        "By the rounded index; equal ones share a rank (15, 15, 17).",
    ),
    (
        "Độ phủ · Coverage",
        "Tỷ lệ điểm tối đa có số liệu; chỉ tiêu thiếu số liệu được 0 điểm.",
        "Share of the full points that is known; an indicator that is not known earns 0 points.",
    ),
    (
        "Xuất xứ · Provenance",
        "quoted: trích nguyên văn; inferred: suy ra; provisional: tạm thời, cần đối chiếu văn bản gốc.",
        "quoted: as the decision says; inferred: follows from it; provisional: to be checked against it.",
    ),
    (
        "Hiệu chỉnh · Corrections",
        "Mỗi hiệu chỉnh giữ giá trị gốc, lý do và văn bản.",
        "Each keeps the value before it, why, and the document.",
    ),
    (
        "Phiên bản · Versions",
        "Bản đã công bố không bao giờ thay đổi; kết quả tính lại là một phiên bản mới bên cạnh.",
        "What is published never changes; a recomputation is a new version beside it.",
    ),
    (
        "Kiểm chứng · To verify",
        "Chạy `sha256sum -c SHA256SUMS` trong thư mục này.",
        "Run `sha256sum -c SHA256SUMS` in this folder.",
    ),
)
_WARNINGS = {
    "synthetic": (
        "SỐ LIỆU GIẢ LẬP · SYNTHETIC",
        "Số liệu thử nghiệm, không phải của tỉnh thật. · Made-up data, no figure of a real province.",
    ),
    "estimate": (
        "ƯỚC TÍNH · ESTIMATE",
        "Quyết định không áp dụng cho năm này. · The decision does not cover this year.",
    ),
    "not_official": (
        "KHÔNG PHẢI KẾT QUẢ CỦA BỘ",
        "Hệ thống này tính lại, không phải kết quả do Bộ công bố. · Recomputed here; not the ministry's result.",
    ),
}


def cover_lines(publication: Publication) -> Iterator[Line]:
    """The lines of the cover, top to bottom. Times are those of Việt Nam."""
    p = publication
    yield "title", "Chỉ số chuyển đổi số (DTI)", f"{p.year} · {p.publication_id}"
    if p.synthetic:
        yield "warning", *_WARNINGS["synthetic"]
    if not p.framework_in_force:
        yield "warning", *_WARNINGS["estimate"]
    yield "warning", *_WARNINGS["not_official"]
    yield "text", "Năm · Year", str(p.year)
    yield "text", "Phiên bản · Version", str(p.version)
    yield "text", "Phương pháp · Method", f"{p.framework_name} · {p.framework_name_en} ({p.framework_id}, {p.decision})"
    yield "text", "Đơn vị · Units", f"{p.units_count} ({p.geography})"
    yield "text", "Gộp tỉnh · Merging", _MERGING.get(p.merge_method, p.merge_method)
    yield "text", "Kỳ · Period", f"{p.period_from} → {p.period_to}"
    yield "text", "Số liệu biết đến · Known until", _moment(p.data_cut_off)
    yield "text", "Lý do · Reason", p.reason
    yield "text", "Người yêu cầu · Requested by", p.requester
    yield "text", "Người duyệt · Approved by", f"{p.approver}, {_moment(p.approved_at)}"
    if p.note:
        yield "text", "Ý kiến · Note", p.note
    yield "text", "Công bố lúc · Published at", _moment(p.published_at)
    yield "text", "Lượt tính · Run", f"{p.run_id} ({p.request_id})"
    yield "text", "Phiên bản phương pháp · Framework hash", p.framework_hash
    yield "text", "Mã kiểm tra · Checksum", p.checksum
    yield "text", "", ""
    yield "title", "Cách đọc · How to read", ""
    for name, vietnamese, english in _READING:
        yield "text", name, f"{vietnamese} · {english}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M:%S} (GMT+7)"
