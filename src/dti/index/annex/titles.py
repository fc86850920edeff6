"""What the columns of the official form are called, in the wordings offices use."""

from __future__ import annotations

from collections.abc import Mapping

from dti.index.annex.wording import fold

TITLES: Mapping[str, tuple[str, ...]] = {
    "code": ("stt", "tt", "so tt", "so thu tu", "ma", "ma chi so"),
    "name": (
        "chi so/chi so thanh phan", "chi so, chi so thanh phan", "chi so va chi so thanh phan", "chi so thanh phan",
        "chi so", "ten chi so", "tieu chi", "tieu chi/tieu chi thanh phan", "noi dung", "noi dung chi so",
    ),
    "points": ("diem toi da", "diem", "thang diem", "diem chuan", "so diem toi da"),
    "scoring": (
        "cach xac dinh va tinh diem", "cach xac dinh, tinh diem", "cach xac dinh va cach tinh diem",
        "cach xac dinh/tinh diem", "cach tinh diem", "phuong phap tinh diem", "phuong phap xac dinh va tinh diem",
    ),
    "evidence": ("tai lieu kiem chung", "tai lieu minh chung", "tai lieu, minh chung", "minh chung"),
    "source": ("nguon thu thap du lieu", "nguon du lieu", "nguon thu thap so lieu", "nguon cung cap du lieu"),
    "verifier": ("don vi phoi hop xac minh", "co quan phoi hop xac minh", "don vi xac minh", "don vi phoi hop"),
}  # fmt: skip
"""Field → what its column is headed, folded. The first of each is the wording of the official form."""

REQUIRED = ("code", "name", "points", "scoring")
FIELD_OF = {title: field for field, titles in TITLES.items() for title in titles}


class _Titles:
    """Every known heading, for readers that ask whether a text is one."""

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and fold(text) in FIELD_OF


KNOWN_TITLES = _Titles()
