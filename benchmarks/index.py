"""The index run: a year of the 63 provinces with all 98 indicators, and 10,000 communes.

    uv run python -m benchmarks.index --json index.json

* ``63 provinces``: framework 922-2022 over a year of facts of every feed, about a million rows.
* ``communes``: framework tay-ninh-commune-2025 over 10,000 units: the communes of Tây Ninh, and made-up ones named
  synthetic. They and their declarations exist only in the benchmark's own home and copy of ``include/``.

Each run replaces the one before, as a night does that is run again. All facts are made up: drawn from their keys.
"""

from __future__ import annotations

import csv
import os
import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.measuring import (
    Given,
    data_dir,
    head,
    home,
    in_turn,
    parser,
    publish,
    rows_of,
    say,
    scratch,
    serve,
)

PROJECT = Path(__file__).parents[1]
COMMUNES = "tay-ninh-commune-2025"
KEYS = {"procedure_code": 0, "data_centre_id": 2, "agency_code": 10, "commune_code": 20}
"""Column of a key → how many there are of it in a unit; the number of procedures is an argument."""
MONTHLY = ("staffing", "community_teams", "platform_inventory")


def make_facts(connection: Any, year: int, procedures: int) -> int:
    """A year of facts of every feed but declarations, for the units of geography 63; the number of rows."""
    rows = 0
    for feed in ("online_services", "service_catalogue", "data_centre", *MONTHLY):
        columns = connection.execute(
            "select attname, format_type(atttypid, null) from pg_attribute where attrelid = to_regclass(%s)"
            " and attnum > 0 and not attisdropped order by attnum",
            [f"facts.{feed}"],
        ).fetchall()
        key = next((name for name, _ in columns if name in KEYS), None)
        many = procedures if key == "procedure_code" else KEYS.get(key or "", 1)
        values = {
            "partition_key": "to_char(day, 'YYYY-MM')",
            "day": "day::date",
            "unit_id": "unit_id",
            "source_id": "'made-up'",
            key: "'made-up-' || part",
        }
        figures = [
            f"abs(hashtext(unit_id || day || part) % {7 + place})"
            if kind in {"bigint", "integer", "numeric", "double precision"}
            else "null"
            for place, (_, kind) in enumerate(columns)
        ]
        selected = ", ".join(values.get(name, figures[place]) for place, (name, _) in enumerate(columns))
        step = "1 month" if feed in MONTHLY else "1 day"
        days = f"generate_series(date '{year}-01-01', date '{year}-12-31', interval '{step}')"
        source = f"ref.unit, {days} as day, generate_series(1, {many}) as part where geography = '63'"
        rows += connection.execute(f"insert into facts.{feed} select {selected} from {source}").rowcount  # noqa: S608 - our own names
        connection.execute(f"analyze facts.{feed}")
    return rows


def make_declarations(connection: Any, year: int, geography: str, metrics: list[str]) -> int:
    """Each metric on two bases for each unit of a geography, stated on the last day of the year; the number of rows."""
    inserted = connection.execute(
        f"""
        insert into facts.declarations
            (partition_key, day, unit_id, source_id, period_year, metric, basis, value)
        select
            '{year}', date '{year}-12-31', unit_id, 'made-up', {year}, metric, basis,
            abs(hashtext(unit_id || metric)) %% 3
        from ref.unit, unnest(%s::text[]) as metric, unnest(array['declared', 'appraised']) as basis
        where geography = '{geography}'
        """,  # noqa: S608 - our own names
        [metrics],
    )
    connection.execute("analyze facts.declarations")
    return int(inserted.rowcount)


def project_with(units: int, folder: Path) -> Path:
    """A copy of the project's data files whose list of units has made-up communes, up to ``units`` of them."""
    folder.mkdir()
    shutil.copytree(PROJECT / "include", folder / "include")
    for name in ("migrations", "expectations"):
        (folder / name).symlink_to(PROJECT / name)
    path = folder / "include" / "reference" / "unit.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        names, known = list(reader.fieldnames or ()), list(reader)
    communes = [row for row in known if row["geography"] == "tay-ninh-2025"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows([row for row in known if row not in communes])
        writer.writerows(communes[:units])
        for number in range(len(communes), units):
            name = {"name_vi": f"Xã tổng hợp {number} (synthetic)", "name_en": f"Synthetic commune {number}"}
            said = {"note": "synthetic", "source": "made up by benchmarks/index.py"}
            code = f"9{number:05}"
            writer.writerow({**communes[0], **name, **said, "unit_id": f"C34-{code}", "code": code})
    return folder


def run(given: Given) -> Callable[[], Any]:
    from dti import flow
    from dti.index import run as index_run
    from dti.settings import get_settings
    from dti.warehouse import connect

    day, framework = date.fromisoformat(given["day"]), given["framework"]
    spent = {"measure": 0.0, "score": 0.0}

    def timed(name: str) -> Any:
        original = getattr(index_run, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                spent[name] += time.perf_counter() - begun

        return patch.object(index_run, name, wrapped)

    def work() -> Any:
        with timed("measure"), timed("score"):
            run_id = flow.compute(day, framework)["run_id"]
        with connect.connect(get_settings(), "loader") as driver:
            found = driver.execute("select count(*) from score.indicator_score where run_id = %s", [run_id]).fetchone()
        if (scores := found[0] if found else 0) != given["scores"]:
            raise SystemExit(f"{run_id}: {scores} scores instead of {given['scores']}")
        return scores if given["check"] else {name: round(seconds, 3) for name, seconds in spent.items()}

    return work


CONTENDERS = {"index run": run}


def provinces(asked: Any, folder: Path) -> tuple[str, Given]:
    from dti.settings import get_settings
    from dti.warehouse import connect

    settings = get_settings()
    with (settings.include_dir / "reference" / "metrics.csv").open(encoding="utf-8") as file:
        stated = [row["metric"] for row in csv.DictReader(file) if row["feed"] == "declarations"]
    with connect.connect(settings, "owner") as driver:
        facts = make_facts(driver, 2023, asked.procedures) + make_declarations(driver, 2023, "63", stated)
    say(f"{facts:,} facts of 63 provinces")
    given = {"framework": "922-2022", "day": "2023-12-31", "scores": 63 * 98, "facts": facts}
    return f"63 provinces × 98 indicators, {facts:,} facts", given


def communes(asked: Any, folder: Path) -> tuple[str, Given]:
    from dti.index.framework import load_framework
    from dti.settings import get_settings
    from dti.warehouse import connect

    settings = get_settings()
    indicators = load_framework(COMMUNES, settings=settings).indicators
    metrics = sorted({indicator.numerator_metric for indicator in indicators})
    with connect.connect(settings, "owner") as driver:
        facts = make_declarations(driver, 2025, "tay-ninh-2025", metrics)
    say(f"{facts:,} facts of {asked.communes:,} communes")
    scores = asked.communes * len(indicators)
    given = {"framework": COMMUNES, "day": "2025-12-31", "scores": scores, "facts": facts}
    return f"{asked.communes:,} communes × {len(indicators)} indicators, {facts:,} facts", given


CASES = {"provinces": provinces, "communes": communes}


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--cases", default=",".join(CASES))
    arguments.add_argument("--procedures", type=int, default=40, help="of each province: 23 thousand facts each")
    arguments.add_argument("--communes", type=int, default=10_000)
    asked = arguments.parse_args()
    lines, figures = head("units", "scores/s"), {}
    for case in asked.cases.split(","):
        with scratch() as folder:
            project = project_with(asked.communes, folder / "project") if case == "communes" else PROJECT
            os.environ["DTI_PROJECT"] = str(project)
            with home(folder / "home") as environment:
                label, given = CASES[case](asked, folder)
                given |= {
                    "title": case,
                    "env": {**environment, "DTI_PROJECT": str(project)},
                    "data_dir": data_dir(folder / "home"),
                }
                taken = in_turn("benchmarks.index", list(CONTENDERS), given, asked.repeats)
        lines += rows_of(label, taken, "", given["scores"])
        steps = taken["index run"]["answer"]
        lines += [f"| | of these, {name} | | {seconds:.2f} | | | | | |" for name, seconds in steps.items()]
        figures[label] = taken
    publish(lines, figures, asked.json)


if __name__ == "__main__":
    serve(CONTENDERS)
    main()
