"""One landed part on the bench: its text, its typed values, and the faults found so far.

A batch goes over the bench part by part, so memory is bounded by the size of a part, whatever the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dti.feeds import Contract
from dti.gate.casts import LONGEST_KEY, LONGEST_TEXT, NOT_A, identifier, literal, shown
from dti.gate.schema import QUARANTINE_SCHEMA, ROW_NUMBER, derived_days, indispensable, judged_schema, passed_schema
from dti.gate.suite import Expectation
from dti.gate.typed import geography, landed_texts, typed_rows, unit_texts
from dti.gate.units import UnitDirectory
from dti.landing.batch import Manifest

EXAMPLES = 3  # failing rows told with each rule's result


class Bench:
    """A DuckDB connection that holds one part at a time, in three tables.

    ``landed``: row_number and the text as landed; one row a landed row.
    ``typed``: row_number and what the gate would pass on; one row a landed row, NULL where a text could not be read.
    ``faults``: row_number, position, rule, severity, reason; one row for each rule that a row breaks. Rules are
    told in the order of ``position``: columns as the contract has them, then the unit, then the suite.
    """

    def __init__(self, contract: Contract, manifest: Manifest, units: UnitDirectory) -> None:
        self._contract, self._manifest, self._units = contract, manifest, units
        self._suite_starts = len(contract.columns) + 1
        self._db = duckdb.connect()
        self._db.execute("SET TimeZone = 'UTC'")
        self._db.execute("SET enable_progress_bar = false")

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def lay(self, path: Path, first_row: int) -> int:
        """Take a part from its file as it landed, without judging it; returns its rows.

        ``first_row`` is the number in the batch of the part's first row. A column the file lacks (the contract grew
        after it landed) is empty in every row.
        """
        present = set(pq.read_schema(path).names)
        manifest = self._manifest
        self._db.execute(f"""
            CREATE OR REPLACE TEMP TABLE landed AS
            SELECT
                {first_row} + file_row_number AS row_number,
                {", ".join(landed_texts(self._contract, present))},
                {literal(manifest.source_id)} AS _source_id,
                {literal(manifest.batch_id)} AS _batch_id,
                TIMESTAMPTZ {literal(manifest.landed_at.isoformat())} AS _landed_at
            FROM read_parquet({literal(str(path))}, file_row_number = true)
        """)
        self._db.execute("""
            CREATE OR REPLACE TEMP TABLE faults
            (row_number BIGINT, position INTEGER, rule VARCHAR, severity VARCHAR, reason VARCHAR)
        """)
        return int(self._db.sql("SELECT count(*) FROM landed").fetchall()[0][0])

    def type(self) -> None:
        """Type the part's columns, find its units and days, and note what cannot be read."""
        self._find_units()
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE typed AS {typed_rows(self._contract, 'landed', 'units')}")
        self._note_unreadable()

    def frame(self, columns: Sequence[str]) -> pa.Table:
        """Row numbers and these columns of every row, for rules to judge: days as timestamps, decimals as doubles."""
        return self._db.sql(f"SELECT {self._judged(columns)} FROM typed ORDER BY {ROW_NUMBER}").to_arrow_table()

    def kept_values(self, columns: Sequence[str]) -> pa.Table:
        """As ``frame``, but of rows already quarantined only the number: their values speak for nothing any more."""
        kept = [f"CASE WHEN bad.row_number IS NULL THEN {identifier(c)} END AS {identifier(c)}" for c in columns]
        return self._db.sql(f"""
            WITH bad AS (SELECT DISTINCT row_number FROM faults WHERE severity = 'warning'),
            kept AS (SELECT {", ".join(["typed.row_number", *kept])} FROM typed LEFT JOIN bad USING (row_number))
            SELECT {self._judged(columns)} FROM kept ORDER BY {ROW_NUMBER}
        """).to_arrow_table()

    def note(self, rule: Expectation, position: int, rows: Sequence[int]) -> None:
        """Note that ``rows`` break a rule of the suite (``position`` is its place there)."""
        if not rows:
            return
        failing = pa.table({"row_number": pa.array(rows, pa.int64())})
        self._db.register("failing", failing)
        values = [f"' {c} = ' || {shown(identifier(self._landed_name(c)))}" for c in rule.columns]
        told = f"{literal(rule.meta.reason)} || ':' || {' || '.join(values)}" if values else literal(rule.meta.reason)
        self._db.execute(f"""
            INSERT INTO faults
            SELECT row_number, {self._suite_starts + position}, {literal(rule.rule)}, {literal(rule.severity)}, {told}
            FROM landed SEMI JOIN failing USING (row_number)
        """)
        self._db.unregister("failing")

    def quarantined_rows(self) -> list[int]:
        """Numbers of the rows that may not pass, ascending."""
        found = self._db.sql("SELECT DISTINCT row_number FROM faults WHERE severity = 'warning' ORDER BY row_number")
        rows: list[int] = found.to_arrow_table().column(0).to_pylist()
        return rows

    def tally(self) -> list[tuple[str, str, int, list[str]]]:
        """Rule, severity, failing rows and the first few reasons, in the order rules are told."""
        return self._db.sql(f"""
            WITH numbered AS (
                SELECT *, row_number() OVER (PARTITION BY rule ORDER BY faults.row_number) AS place FROM faults
            )
            SELECT
                rule,
                severity,
                count(*),
                list(reason || {self._at()} ORDER BY place) FILTER (WHERE place <= {EXAMPLES})
            FROM numbered INNER JOIN landed USING (row_number)
            GROUP BY rule, severity ORDER BY min(position)
        """).fetchall()

    def quarantine(self) -> pa.Table:
        """One line for each row that may not pass, under the first rule it breaks, with every reason."""
        record = ", ".join(
            f"{identifier(c)} := replace(left({identifier(c)}, {LONGEST_TEXT}), chr(0), '␀')"
            for c in self._contract.landed_columns
        )
        names = {name: identifier(self._landed_name(name)) for name in self._contract.key}
        key = " || ', ' || ".join(
            f"'{name} = ' || coalesce(replace(left({text}, {LONGEST_KEY}), chr(0), '␀'), 'nothing')"
            for name, text in names.items()
        )
        return (
            self._db.sql(f"""
            WITH lines AS (
                SELECT
                    row_number,
                    arg_min(rule, position) AS rule,
                    string_agg(rule, ' ' ORDER BY position) AS rules,
                    arg_min(severity, position) AS severity,
                    string_agg(rule || ': ' || reason, '; ' ORDER BY position) AS reason
                FROM faults WHERE severity = 'warning' GROUP BY row_number
            )
            SELECT
                row_number,
                coalesce(source_row, '') AS source_row,
                {key} AS key_text,
                rule,
                rules,
                severity,
                reason || {self._at()} AS reason,
                to_json(struct_pack({record}))::VARCHAR AS record
            FROM lines INNER JOIN landed USING (row_number) ORDER BY row_number
            """)
            .to_arrow_table()
            .cast(QUARANTINE_SCHEMA)
        )

    def write_passed(self, path: Path) -> int:
        """Write the rows that may pass, in landed order; returns how many (none: no file)."""
        schema = passed_schema(self._contract)
        rows = self._db.sql(f"""
            SELECT {", ".join(map(identifier, schema.names))} FROM typed
            WHERE row_number NOT IN (SELECT row_number FROM faults WHERE severity = 'warning')
            ORDER BY row_number
        """).to_arrow_table()
        if rows.num_rows:
            pq.write_table(rows.cast(schema), path, compression="zstd")
        return int(rows.num_rows)

    def _find_units(self) -> None:
        """Fill ``units``: one row for each (text, geography) of the part that means a unit."""
        contract = self._contract
        texts = self._db.sql(unit_texts(contract, "landed")).fetchall()
        found = [(text, geography, self._units.resolve(text, geography)) for text, geography in texts]
        reasons = [None if unit else self._units.explain(text, geography) for text, geography, unit in found]
        columns = [*zip(*found, strict=True)] or [(), (), ()]
        named = dict(zip(("unit", "geography", "unit_id"), columns, strict=True))
        units = pa.table({n: pa.array(v, pa.string()) for n, v in {**named, "reason": reasons}.items()})
        self._db.register("found_units", units)
        self._db.execute("CREATE OR REPLACE TEMP TABLE units AS FROM found_units")
        self._db.unregister("found_units")

    def _note_unreadable(self) -> None:
        """Note cells that are not of their type, needed cells that are empty, and units nobody knows."""
        contract, needed = self._contract, set(indispensable(self._contract))
        checks = []
        for position, (name, column) in enumerate(contract.columns.items()):
            text, value = f"landed.{identifier(name)}", f"typed.{identifier(name)}"
            reason = f"{shown(text)} || {literal(' ' + NOT_A[column.type])}"
            checks.append((position, f"type:{name}", reason, f"{text} IS NOT NULL AND {value} IS NULL"))
            if name in needed:
                checks.append((position, f"required:{name}", "'it is empty'", f"{text} IS NULL"))
        for position, rule, reason, fails in checks:
            self._db.execute(f"""
                INSERT INTO faults
                SELECT row_number, {position}, {literal(rule)}, 'warning', {reason}
                FROM landed INNER JOIN typed USING (row_number) WHERE {fails}
            """)
        # Without a readable day no unit can be known; the day's own fault is noted already.
        self._db.execute(f"""
            INSERT INTO faults
            SELECT row_number, {len(contract.columns)}, 'unit', 'warning',
                CASE WHEN landed.unit IS NULL THEN 'it is empty' ELSE {shown("landed.unit")} || ': ' || units.reason END
            FROM landed INNER JOIN typed USING (row_number)
            LEFT JOIN units ON units.unit = landed.unit AND units.geography = {geography(contract, "typed")}
            WHERE typed.unit_id IS NULL AND typed.{identifier(contract.day_column)} IS NOT NULL
        """)

    def _judged(self, columns: Sequence[str]) -> str:
        """Select list of typed columns in the types that rules compare in."""
        cast_to = {pa.float64(): "::DOUBLE", pa.timestamp("us"): "::TIMESTAMP"}
        types = judged_schema(self._contract, columns)
        return ", ".join(
            [
                ROW_NUMBER,
                *(f"{identifier(c)}{cast_to.get(types.field(c).type, '')} AS {identifier(c)}" for c in columns),
            ]
        )

    def _landed_name(self, column: str) -> str:
        """The landed column that a typed one was made from."""
        return "unit" if column == "unit_id" else derived_days(self._contract).get(column, column)

    @staticmethod
    def _at() -> str:
        """Expression: where the row stood at the agency, in brackets."""
        return "coalesce(' [' || replace(landed.source_row, chr(0), '␀') || ']', '')"
