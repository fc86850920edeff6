"""From landed text to typed values, as DuckDB expressions.

TRY_CAST alone is too kind: it reads 12.7 as the integer 13, takes 0x10, 1_000, 'infinity' and 'epoch', and gives a
time without a zone the zone of the session. So the text must first look like what the landing room promises
(canonical text, see ``dti.sources``); what does not stays NULL beside a text that is there, which is a type fault.
"""

from __future__ import annotations

from dti.feeds import Contract

_DATE = r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_LOOKS = {
    "integer": r"-?[0-9]{1,18}",
    "decimal": r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?",
    "date": _DATE,
    "timestamptz": rf"{_DATE}[T ]{_TIME}(Z|[-+][0-9]{{2}}(:?[0-9]{{2}})?)",
}
_DUCKDB_TYPES = {"integer": "BIGINT", "decimal": "DECIMAL(28, 6)", "date": "DATE", "timestamptz": "TIMESTAMPTZ"}

LONGEST_TEXT, LONGEST_KEY = 10_000, 200
"""Characters of a text, and of one that is part of a key: keys stand in the warehouse's indexes, which refuse an entry
of more than 2,700 bytes, and with it the load of a whole feed."""

NOT_A = {
    "string": f"holds a NUL sign, or is longer than {LONGEST_TEXT:,} characters (in a key: {LONGEST_KEY})",
    "integer": "is no whole number",
    "decimal": "is no number",
    "boolean": "is neither true nor false",
    "date": "is no day (YYYY-MM-DD, years 1900 to 2199)",
    "timestamptz": "is no moment with a zone (ISO 8601, years 1900 to 2199)",
}


def identifier(name: str) -> str:
    """A column name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, quoted."""
    return "'" + text.replace("'", "''") + "'"


def cast(text: str, column_type: str, *, longest: int = LONGEST_TEXT) -> str:
    """Expression: the value of the text expression ``text``, or NULL when it is not of ``column_type``.

    A string may have ``longest`` characters. Decimals keep six places (more are rounded); times of any zone become
    moments.
    """
    if column_type == "string":
        return f"CASE WHEN NOT contains({text}, chr(0)) AND length({text}) <= {longest} THEN {text} END"
    if column_type == "boolean":
        return f"CASE {text} WHEN 'true' THEN true WHEN 'false' THEN false END"
    looks, duckdb_type = literal(_LOOKS[column_type]), _DUCKDB_TYPES[column_type]
    return f"CASE WHEN regexp_full_match({text}, {looks}) THEN TRY_CAST({text} AS {duckdb_type}) END"


def local_day(moment: str) -> str:
    """Expression: the calendar day in Việt Nam of a TIMESTAMPTZ expression."""
    return f"CAST({moment} AT TIME ZONE 'Asia/Ho_Chi_Minh' AS DATE)"


def partition_key(contract: Contract, day: str) -> str:
    """Expression: the partition ('2025-07' or '2025') of a DATE expression."""
    return f"strftime({day}, {literal('%Y-%m' if contract.partition == 'month' else '%Y')})"


def shown(text: str) -> str:
    """Expression: a landed text as it may stand in a reason: at most 60 signs, no NUL (PostgreSQL refuses it)."""
    return f"coalesce('''' || left(replace({text}, chr(0), '␀'), 60) || '''', 'nothing')"
