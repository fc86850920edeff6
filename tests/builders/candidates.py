"""Small runs, requests and publications for the tests of annual recomputation, on one transaction that never ends well.

The method has pillars A (indicators 1.1 of 6 points and 1.2 of 4) and B (2.1 of 10), and the composite ALL of both:
every indicator is its metric over 100. So a metric is worth its percentage of the points.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from dti.annual.model import Request
from dti.clock import ZONE
from dti.index.identity import Run
from dti.index.model import Framework
from dti.index.run import open_run, score
from dti.index.store import store_framework
from dti.settings import Settings
from dti.warehouse import inputs

CUT_OFF = datetime(2027, 3, 1, 6, tzinfo=ZONE)
"""Of the candidate; that of the night is of the morning after the year."""
NIGHT_CUT_OFF = datetime(2027, 1, 1, 2, 30, tzinfo=ZONE)
DAK_LAK, LAM_DONG, HA_NOI = "P34-66", "P34-68", "P34-01"
Values = Mapping[tuple[str, str], object]
"""(unit, metric) → measured value over the year."""


def method(**changes: Any) -> Framework:
    """The little framework; ``changes`` go into it as they are."""
    rows = [("1.1", "A", 6, "n"), ("1.2", "A", 4, "m"), ("2.1", "B", 10, "k")]
    common = {"name_vi": "x", "name_en": "x", "provenance": "quoted"}
    return Framework.model_validate(
        {
            "framework": "little", "decision": "1/QĐ", "decided_on": date(2022, 5, 20), "name_vi": "Chỉ số nhỏ",
            "name_en": "Little index", "unit_level": "province", "in_force": {"from_year": 2021}, "max_points": 20,
            "indicator_count": 3, "basis_order": ["measured", "appraised", "declared"],
            "unscored": {"missing": "zero", "undefined": "zero"}, "rounding": {"decimals": 4, "mode": "half_up"},
            "ranking": "competition", "sources": ["here"],
            "indicators": [
                {
                    "code": code, "pillar_code": pillar, "name_vi": f"Chỉ số {code}", "name_en": f"Indicator {code}",
                    "max_points": top, "rule": "target_count", "target": 100, "numerator_metric": metric,
                    "feed": "online_services", "name_provenance": "quoted", "points_provenance": "quoted",
                }
                for code, pillar, top, metric in rows
            ],
            "pillars": [
                {"code": code, "group_vi": "x", "max_points": 10, "component_count": count, **common}
                for code, count in (("A", 2), ("B", 1))
            ],
            "composites": {"ALL": {"total_weight": 20, **common, "weights": {"A": 10, "B": 10}}},
            **changes,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """What a test of a candidate works on."""

    connection: Connection
    settings: Settings

    def do(self, statement: str, **known: object) -> None:
        """Run one statement."""
        self.connection.execute(text(statement), known)

    def ask(self, query: str, **known: object) -> list[dict[str, Any]]:
        """The rows of one query."""
        return [dict(row) for row in self.connection.execute(text(query), known).mappings()]

    def reference(self) -> str:
        """Keep the reference data of the files; gives its version."""
        files = sorted((self.settings.include_dir / "reference").glob("*.csv"))
        return inputs.keep(self.connection, "reference", inputs.content_of_files(files))

    def run(self, run_id: str, values: Values, of: Framework | None = None, last_day: str = "2026-12-31",
            **changes: Any) -> Run:  # fmt: skip
        """A complete run of 2026 over measured ``values``, of the 34 provinces, known until CUT_OFF."""
        of = of or method()
        store_framework(self.connection, of)
        kind = "night" if run_id.startswith("night") else "annual"
        plain = Run(
            run_id=run_id, kind=kind, as_of_date=date(2026, 12, 31), year=2026, framework_id=of.framework_id,
            framework_hash=of.content_hash, geography="34", period_from=date(2026, 1, 1), period_to=date(2026, 12, 31),
            framework_in_force=True, data_cut_off=NIGHT_CUT_OFF if kind == "night" else CUT_OFF,
            reference_hash=self.reference(),
        )  # fmt: skip
        run = replace(plain, **changes)
        open_run(self.connection, run)
        for (unit, metric), value in values.items():
            self.do(
                "insert into score.metric_value (run_id, unit_id, metric, feed, basis, value, first_day, last_day,"
                " source_ids) values (:run_id, :unit, :metric, 'online_services', 'measured', :value, '2026-01-01',"
                " cast(:last_day as date), array['source-' || cast(:metric as text)])",
                run_id=run_id, unit=unit, metric=metric, value=Decimal(str(value)), last_day=last_day,
            )  # fmt: skip
        score(self.connection, run, self.settings)
        return run

    def request(self, run: Run, **changes: Any) -> Request:
        """The request whose candidate is ``run``."""
        (found,) = self.ask("select family from method.framework where framework_hash = :it", it=run.framework_hash)
        row = {
            "request_id": "2026-r1", "request_key": "test", "year": run.year, "framework_id": run.framework_id,
            "framework_hash": run.framework_hash, "family": found["family"], "geography": run.geography,
            "merge_method": run.merge_method, "as_of_date": run.as_of_date, "data_cut_off": run.data_cut_off,
            "reference_hash": run.reference_hash, "reason": "The year is over", "requester": "Nguyễn Văn An",
            "door": "form", "status": "candidate", "run_id": run.run_id, **changes,
        }  # fmt: skip
        names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        self.do(f"insert into annual.request ({names}) values ({marks})", **row)
        (found,) = self.ask("select * from annual.request where request_id = :id", id=row["request_id"])
        return Request.model_validate(found)

    def publish(self, run: Run, version: int = 1, cut_off: datetime = NIGHT_CUT_OFF) -> str:
        """Publish ``run`` as it stands, as that version of its year."""
        publication_id = f"{run.year}.dti.{run.geography}.v{version}"
        known = {"publication_id": publication_id, "run_id": run.run_id, "parts_run_id": run.parts_run_id,
                 "request_id": f"{run.year}-r{version + 10}"}  # fmt: skip
        for path in sorted((self.settings.include_dir / "sql" / "publication").glob("*.sql")):
            statement = path.read_text("utf-8")
            if "pg_temp" in statement:
                continue  # the publication's own row, which is written below
            self.do(statement, **{name: value for name, value in known.items() if f":{name}" in statement})
        head = {
            **known, "year": run.year, "version": version, "family": "dti", "geography": run.geography,
            "framework_id": run.framework_id, "framework_hash": run.framework_hash, "framework_name": "x",
            "framework_name_en": "x", "decision": "1/QĐ", "framework_in_force": True,
            "merge_method": run.merge_method, "period_from": run.period_from, "period_to": run.period_to,
            "as_of_date": run.as_of_date, "data_cut_off": cut_off, "known": "[]",
            "reference_hash": run.reference_hash, "sql_hash": "0" * 64, "synthetic": True, "units_count": 34,
            "reason": "first", "requester": "A", "approver": "B", "approved_at": cut_off, "note": "",
            "published_at": cut_off + timedelta(hours=1), "checksum": "0" * 64,
        }  # fmt: skip
        names, marks = ", ".join(head), ", ".join(f":{name}" for name in head)
        self.do(f"insert into published.publication ({names}) values ({marks})", **head)
        return publication_id

    def restate(self, unit: str, source: str, day: str, kind: str = "restated", at: datetime | None = None) -> None:
        """Record that a load changed a day of a unit and source; by default between the night and the candidate."""
        self.do(
            "insert into ops.restatement (feed, load_number, source_id, unit_id, day, kind, changes, batch_ids,"
            " recorded_at) values ('online_services', 2, :source, :unit, cast(:day as date), :kind,"
            " cast(:changes as jsonb), array['b1'], :at)",
            source=source, unit=unit, day=day, kind=kind, at=at or NIGHT_CUT_OFF + timedelta(days=9),
            changes=json.dumps({"dossiers_received": [5, 7]}),
        )  # fmt: skip

    def correct(self, run: Run, correction_id: str, target: str, status: str = "applied", unit: str = DAK_LAK,
                **changes: Any) -> None:  # fmt: skip
        """Note a correction of a metric of a run."""
        row = {
            "run_id": run.run_id, "correction_id": correction_id, "unit_id": unit, "target_kind": "metric",
            "target": target, "feed": "online_services", "basis": "measured", "action": "override",
            "status": status, "given_value": 50, "original_value": 70, "corrected_value": 50, "guard_value": 70,
            "held_value": 70, "first_day": date(2026, 1, 1), "last_day": date(2026, 12, 31),
            "reason": "Counted twice", "document": "12/BC-UBND", **changes,
        }  # fmt: skip
        names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        self.do(f"insert into score.correction ({names}) values ({marks})", **row)
