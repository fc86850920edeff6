"""Why a row was held back, in Vietnamese, for the agency that sent it."""

from __future__ import annotations

from functools import lru_cache

from dti.errors import ConfigError
from dti.feeds import Contract
from dti.gate.suite import load_suite
from dti.gate.tally import QUARANTINE_SHARE
from dti.gate.waive import RETYPED
from dti.settings import Settings

_WANTED = {
    "string": "văn bản không chứa ký tự NUL và không quá dài",
    "integer": "số nguyên",
    "decimal": "số",
    "boolean": "giá trị có/không",
    "date": "ngày hợp lệ (năm 1900 đến 2199)",
    "timestamptz": "thời điểm hợp lệ kèm múi giờ (năm 1900 đến 2199)",
}
UNIT_VI = "Đơn vị"


class Words:
    """Vietnamese reasons of one feed's rules."""

    def __init__(self, contract: Contract, settings: Settings) -> None:
        self._contract = contract
        self._suite = _suite_reasons(contract.feed, settings)

    def reason(self, rule: str, told: str) -> str:
        """The reason in Vietnamese; of a rule that no longer exists what was ``told`` then, in English."""
        if rule == "unit":
            return "Không nhận ra đơn vị hành chính, hoặc đơn vị không tồn tại vào ngày của bản ghi"
        if rule == QUARANTINE_SHARE:
            limit = f"{self._contract.quarantine_limit_pct:g}".replace(".", ",")
            return f"Quá {limit} % số bản ghi của lô có lỗi nên cả lô không được nạp"
        kind, _, name = rule.partition(":")
        if kind == "required":
            return f"Thiếu giá trị bắt buộc: {self.column(name)}"
        if kind == "type":
            return f"Giá trị không đọc được: {self.column(name)} phải là {self._wanted(name)}"
        if f"{kind}:" == RETYPED:
            return f"Cách ghi cột {self.column(name)} đã thay đổi: cần {self._wanted(name)}; cả lô không được nạp"
        return self._suite.get(rule, told)

    def column(self, name: str) -> str:
        """The Vietnamese name of a column of the feed."""
        if name == "unit":
            return UNIT_VI
        column = self._contract.columns.get(name)
        return column.vi if column else name

    def _wanted(self, name: str) -> str:
        column = self._contract.columns.get(name)
        return _WANTED[column.type] if column else "đúng kiểu dữ liệu"


@lru_cache(maxsize=16)
def _suite_reasons(feed: str, settings: Settings) -> dict[str, str]:
    """Rule → reason in Vietnamese; none when the suite cannot be read just now."""
    try:
        return {each.rule: each.meta.reason_vi for each in load_suite(feed, settings).expectations}
    except ConfigError:
        return {}
