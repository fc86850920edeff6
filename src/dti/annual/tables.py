"""What a publication consists of: its tables, their columns and kinds. CSV, Parquet and workbook are made by this list.

The list is a promise: the checksum of everything published so far is over these columns in this order. A column added
to the database later belongs into a table of its own, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "text?", "integer", "number", "flag", "day", "moment", "list", "json"]
"""``text?`` may be unknown, ``text`` never is, though it may be empty. A day is one in Việt Nam, a moment is in UTC."""


@dataclass(frozen=True)
class Table:
    """One table of schema published, as it leaves the database: columns in order, and what rows are sorted by."""

    name: str
    columns: dict[str, Kind]
    order: tuple[str, ...]

    @property
    def file(self) -> str:
        """Its file in a bundle, as the checksum names it."""
        return f"csv/{self.name}.csv"


def _table(name: str, order: str, columns: str) -> Table:
    """Columns as words ``name:kind``; a word without a kind is text."""
    pairs = (word.partition(":") for word in columns.split())
    return Table(name, {column: kind or "text" for column, _, kind in pairs}, tuple(order.split()))  # type: ignore[misc]


HEAD = _table(
    "publication",
    "publication_id",
    """
    publication_id year:integer version:integer family geography framework_id framework_hash framework_name
    framework_name_en decision framework_in_force:flag merge_method run_id parts_run_id:text? request_id period_from:day
    period_to:day as_of_date:day data_cut_off:moment known:json corrections_hash:text? reference_hash sql_hash
    synthetic:flag units_count:integer reason requester approver approved_at:moment note published_at:moment
    """,
)
"""The publication itself, all but its checksum."""

CHILDREN = (
    _table(
        "check_result",
        "publication_id position check_name",
        "publication_id position:integer check_name status message detail:json",
    ),
    _table(
        "composite_index",
        "publication_id unit_id composite_no",
        """
        publication_id unit_id unit_name unit_name_en region_code region_name composite_no:integer composite_code
        composite_name composite_name_en provenance index_value:number index_unrounded:number coverage:number
        rank_national:integer rank_region:integer
        """,
    ),
    _table(
        "correction",
        "publication_id correction_id unit_id target feed basis",
        """
        publication_id correction_id unit_id unit_name target_kind target feed basis position:integer action status
        given_value:number original_value:number corrected_value:number guard_value:number guard_first_day:day
        guard_last_day:day held_value:number first_day:day last_day:day reason document detail
        """,
    ),
    _table(
        "indicator_score",
        "publication_id unit_id indicator_no",
        """
        publication_id unit_id unit_name unit_name_en region_code indicator_no:integer indicator_code indicator_name
        indicator_name_en pillar_code pillar_name rule target:number numerator_metric denominator_metric:text? feed
        basis:text? denominator_basis:text? numerator:number denominator:number value:number uncapped_share:number
        is_capped:flag points:number max_points:number coverage:number status original_value:number correction_id:text?
        name_provenance points_provenance
        """,
    ),
    _table(
        "metric_value",
        "publication_id unit_id metric feed basis",
        """
        publication_id unit_id unit_name geography metric metric_name:text? metric_name_en:text? metric_unit:text? feed
        basis value:number first_day:day last_day:day source_ids:list parts:list synthetic:flag
        """,
    ),
    _table(
        "pillar_index",
        "publication_id unit_id pillar_no",
        """
        publication_id unit_id unit_name unit_name_en region_code region_name pillar_no:integer pillar_code pillar_name
        pillar_name_en provenance points:number max_points:number index_value:number index_unrounded:number
        coverage:number rank_national:integer rank_region:integer
        """,
    ),
    _table(
        "unit",
        "publication_id unit_id",
        """
        publication_id unit_id geography code unit_name unit_name_en unit_level unit_type parent_unit_id:text?
        region_code region_name region_name_en merged_into:text?
        """,
    ),
)

TABLES = tuple(sorted((HEAD, *CHILDREN), key=lambda table: table.file))
"""All of them, in the order of their files' names: the order of the checksum."""
