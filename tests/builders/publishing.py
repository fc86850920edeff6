"""Candidates that wait for a decision, without a night behind them, on a server of their own.

What is published stays: the server that all tests share could not be emptied again, so these tests have their own.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from dti.index.geography import MergeMethod
from dti.index.model import Framework
from dti.index.run import Run, open_run, score
from dti.index.standing import sql_hash
from dti.index.store import store_framework
from dti.settings import Settings
from dti.warehouse import connect, embedded, inputs, setup
from tests.conftest import PROJECT
from tests.sql.index.conftest import framework

CUT_OFF = datetime(2027, 2, 1, 17, tzinfo=UTC)
HANOI, DAK_LAK = "P34-01", "P34-66"
LITTLE = [
    {"name_vi": "Hồ sơ trực tuyến", "name_en": "Online dossiers", "denominator_metric": "d"},
    {"pillar_code": "B", "rule": "yes_no", "numerator_metric": "y", "name_vi": "=1+1", "max_points": 5},
]
"""Two pillars of one indicator each; the name of the second looks like a formula."""
VALUES = {
    (HANOI, "n"): 80, (HANOI, "d"): 90, (HANOI, "y"): 1,
    (DAK_LAK, "n"): 61, (DAK_LAK, "d"): 70, (DAK_LAK, "y"): 0,
}  # fmt: skip


@contextlib.contextmanager
def own_warehouse() -> Iterator[Settings]:
    """Settings of a new DTI_HOME whose embedded server runs, prepared, until the block ends."""
    settings = Settings(project=PROJECT, home=Path(tempfile.mkdtemp(prefix="dti-publishing-")))
    try:
        setup.prepare(settings)
        yield settings
    finally:
        embedded.stop(settings)
        shutil.rmtree(settings.home_dir, ignore_errors=True)


def candidate(
    settings: Settings,
    request_id: str,
    values: Mapping[tuple[str, str], object] | None = None,
    *,
    merge_method: MergeMethod = "none",
    status: str = "waiting",
) -> str:
    """A request of the year it is named after, whose candidate over ``values`` is complete; returns its id.

    Where provinces are merged, ``values`` are those of former provinces.
    """
    method = framework([dict(row) for row in LITTLE], name_vi="Khung nhỏ", name_en="Little")
    year = int(request_id.split("-")[0])
    values = VALUES if values is None else values
    with connect.engine(settings, "loader").begin() as connection:
        store_framework(connection, method)
        run = Run(
            run_id=f"annual-{request_id}.little.34", kind="annual", as_of_date=date(year, 12, 31), year=year,
            framework_id=method.framework_id, framework_hash=method.content_hash, geography="34",
            period_from=date(year, 1, 1), period_to=date(year, 12, 31), framework_in_force=True,
            merge_method=merge_method, data_cut_off=CUT_OFF, request_id=request_id,
            reference_hash=inputs.newest(connection, "reference", "reference"), sql_hash=sql_hash(settings),
        )  # fmt: skip
        if merge_method == "average":
            parts = replace(run, run_id=f"{run.run_id}.parts", kind="annual_parts", geography="63", merge_method="none")
            _scored(connection, parts, values, settings)
            run, values = replace(run, parts_run_id=parts.run_id), {}
        _scored(connection, run, values, settings)
        _asked(connection, run, method, status)
        _corrected_and_checked(connection, run)
    return request_id


def _scored(connection: Connection, run: Run, values: Mapping[tuple[str, str], object], settings: Settings) -> None:
    """A complete run over ``values``, which it knew from load 7 of their feed."""
    open_run(connection, run)
    table, unit = "metric_value (run_id, unit_id,", ":unit"
    if run.merge_method == "recomputed":
        table = "metric_part (run_id, part_unit_id, unit_id,"
        unit = ":unit, (select unit_id_34 from ref.unit_succession where unit_id_63 = :unit)"
    for (province, metric), value in values.items():
        connection.execute(
            text(
                f"insert into score.{table} metric, feed, basis, value, first_day, last_day, source_ids)"
                f" values (:run, {unit}, :metric, 'online_services', 'measured', cast(:value as numeric),"
                " :first, :last, array['s1', 's2'])"
            ),
            {
                "run": run.run_id,
                "unit": province,
                "metric": metric,
                "value": value,
                "first": run.period_from,
                "last": run.period_to,
            },
        )
    connection.execute(
        text("insert into score.run_input (run_id, feed, load_number) values (:run, 'online_services', 7)"),
        {"run": run.run_id},
    )
    score(connection, run, settings)


def _corrected_and_checked(connection: Connection, run: Run) -> None:
    connection.execute(
        text(
            """
            insert into score.correction (
                run_id, correction_id, unit_id, target_kind, target, feed, basis, action, status, given_value,
                original_value, corrected_value, first_day, last_day, reason, document
            )
            values (
                :run, 'dak-lak-n', 'P34-66', 'metric', 'n', 'online_services', 'measured', 'override', 'applied', 61,
                60, 61, make_date(:year, 1, 1), make_date(:year, 12, 31), '@recounted', '12/CV'
            )
            """
        ),
        {"run": run.run_id, "year": run.year},
    )
    connection.execute(
        text("insert into annual.check_result values (:request, 1, 'units', 'passed', '34 of 34 units', '[]')"),
        {"request": run.request_id},
    )


def _asked(connection: Connection, run: Run, method: Framework, status: str) -> None:
    row: dict[str, Any] = {
        "request_id": run.request_id,
        "request_key": f"test {run.request_id}",
        "year": run.year,
        "framework_id": run.framework_id,
        "framework_hash": run.framework_hash,
        "family": method.family,
        "geography": run.geography,
        "merge_method": run.merge_method,
        "as_of_date": run.as_of_date,
        "data_cut_off": run.data_cut_off,
        "reference_hash": run.reference_hash,
        "reason": "năm kết thúc",
        "requester": "Lê Văn B",
        "door": "command",
        "run_id": run.run_id,
        "status": status,
    }
    names = ", ".join(row)
    connection.execute(
        text(f"insert into annual.request ({names}) values ({', '.join(f':{name}' for name in row)})"), row
    )
