"""Five nights in which everything changes; each of them recomputed afterwards from what was known then, row for row."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from dti import flow
from dti.annual.candidate import compute_candidate
from dti.annual.model import RequestError
from dti.annual.request import end_request
from dti.clock import now
from dti.settings import Settings, get_settings
from dti.sources.spec import load_sources
from dti.warehouse import setup
from dti.warehouse.connect import engine
from dti.warehouse.query import run_select

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FRAMEWORK, YEAR, MOVED = "922-2022", 2026, "P34-66"
NIGHTS = [date(2026, 6, 20) + timedelta(days=number) for number in range(5)]
COLUMNS = {
    "online_services": ["dossier_id", "procedure_code", "status_code", "channel_code", "opened_at", "received_at",
                        "due_at", "finished_at", "fee_vnd", "online_payment_code", "has_electronic_result",
                        "updated_at"],
    "staffing": ["agency_code", "agency_name", "reported_on", "staff_total", "staff_digital_transformation",
                 "staff_information_technology", "staff_information_security", "staff_trained_dx",
                 "staff_trained_digital_skills", "staff_trained_data", "has_focal_staff"],
    "declarations": ["metric", "basis", "period_year", "stated_on", "value", "evidence_ref"],
}  # fmt: skip
MARTS = {
    "pillar_index": "unit_id, pillar_code",
    "composite_index": "unit_id, composite_code",
    "indicator_score": "unit_id, indicator_code",
    "metric_value": "unit_id, metric, feed, basis",
    "correction": "unit_id, correction_id, target",
}
OF_THE_RUN = {"run_id", "kind", "started_at", "finished_at"}
LABELS = {"unit_name", "unit_name_en", "region_code", "region_name"}
"""Words of today's reference data that a mart puts beside a row; what was computed with them is compared."""

Rows = list[dict[str, Any]]


@pytest.fixture
def project(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A checkout whose method, corrections and reference data may be edited; three agencies drop CSV files."""
    root = tmp_path / "project"
    (root / "include").mkdir(parents=True)
    for name in ("expectations", "migrations"):
        (root / name).symlink_to(warehouse.project / name)
    for part in warehouse.include_dir.iterdir():
        if part.name in ("frameworks", "reference"):
            shutil.copytree(part, root / "include" / part.name)
        elif part.name not in ("sources", "corrections"):
            (root / "include" / part.name).symlink_to(part)
    (root / "include" / "corrections").mkdir()
    (root / "include" / "sources").mkdir()
    for feed, columns in COLUMNS.items():
        source = {
            "source": f"agency-{feed.replace('_', '-')}",
            "feed": feed,
            "agency": "Sở thử nghiệm",
            "owner": "o",
            "licence": "l",
            "synthetic": True,
            "unit": {"field": "unit"},
            "connector": {"type": "tabular", "path": f"{feed}.csv"},
            "fields": {column: column for column in columns},
        }
        path = root / "include" / "sources" / f"{source['source']}.yml"
        path.write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    (warehouse.home_dir / "drop").mkdir()
    with monkeypatch.context() as patch:
        patch.setenv("DTI_PROJECT", str(root))
        get_settings.cache_clear()
        yield get_settings()
    get_settings.cache_clear()
    setup.prepare(warehouse)


def drop(settings: Settings, feed: str, rows: Rows) -> None:
    """What the agency of ``feed`` has in its folder tonight."""
    with (settings.home_dir / "drop" / f"{feed}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["unit", *COLUMNS[feed]])
        writer.writeheader()
        writer.writerows(rows)


def run_night(settings: Settings, night: date) -> str:
    """One night of the library's own steps; the id of its run."""
    flow.prepare(settings)
    for feed in COLUMNS:
        (source,) = load_sources(feed)
        flow.extract(source.source, night, settings=settings)
        flow.gate(feed, night, settings=settings)
        flow.load(feed, night, settings=settings)
    return str(flow.compute(night, FRAMEWORK, settings=settings)["run_id"])


def marts_of(settings: Settings, run_id: str) -> dict[str, Rows]:
    """Every mart's rows of one run, without what names the run."""
    found = {}
    for mart, key in MARTS.items():
        columns, rows = run_select(
            f"select * from marts.{mart} where run_id = %(run)s order by {key}", settings, {"run": run_id}
        )
        named = (dict(zip(columns, row, strict=True)) for row in rows)
        found[mart] = [{k: v for k, v in row.items() if k not in OF_THE_RUN | LABELS} for row in named]
    return found


def dossier(number: int, unit: str, **changes: Any) -> dict[str, Any]:
    """A dossier received on 1 June and not finished."""
    return {
        "unit": unit,
        "dossier_id": f"D{number:03}",
        "procedure_code": "1.000123",
        "status_code": 3,
        "channel_code": 2 if number % 3 else 1,
        "opened_at": "2026-06-01T08:00:00+07:00",
        "received_at": "2026-06-01T09:00:00+07:00",
        "due_at": "2026-06-15T17:00:00+07:00",
        "fee_vnd": 50000 if number % 2 else 0,
        "online_payment_code": 1 if number % 4 else 0,
        "has_electronic_result": "true",
        "updated_at": "2026-06-02T08:00:00+07:00",
    } | changes


def finished(row: dict[str, Any], day: int) -> dict[str, Any]:
    moment = f"2026-06-{day:02}T10:00:00+07:00"
    return row | {"status_code": 9, "finished_at": moment, "updated_at": moment}


def staff(unit: str, agency: str, total: int, reported_on: str = "2026-05-31") -> dict[str, Any]:
    return {"unit": unit, "agency_code": agency, "agency_name": agency, "reported_on": reported_on} | {
        "staff_total": total,
        "staff_digital_transformation": 3,
        "staff_information_technology": 2,
        "staff_information_security": 1,
        "staff_trained_dx": total // 2,
        "staff_trained_digital_skills": total // 3,
        "staff_trained_data": total // 4,
        "has_focal_staff": "true",
    }


def stated(unit: str, metric: str, value: float, day: str, basis: str = "declared") -> dict[str, Any]:
    return {
        "unit": unit,
        "metric": metric,
        "basis": basis,
        "period_year": YEAR,
        "stated_on": day,
        "value": value,
        "evidence_ref": "01/BC",
    }


def edit_indicator(settings: Settings, code: str, **values: str) -> None:
    """Change cells of an indicator of the framework."""
    path = settings.include_dir / "frameworks" / FRAMEWORK / "indicators.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | values if row["code"] == code else row for row in rows)


def edit_lines(path: Path, old: str, new: str) -> None:
    before = path.read_text("utf-8")
    assert old in before
    path.write_text(before.replace(old, new), "utf-8")


def first(settings: Settings) -> None:
    """Three provinces report."""
    units = ["Đắk Lắk", "Lâm Đồng", "Gia Lai"]
    drop(settings, "online_services", [dossier(n, units[n % 3]) for n in range(12)])
    drop(settings, "staffing", [staff(unit, code, 90 + n) for n, unit in enumerate(units) for code in ("SNV", "SYT")])
    drop(
        settings,
        "declarations",
        [stated(unit, "portal_has_dx_section", n % 2, "2026-06-10") for n, unit in enumerate(units)]
        + [stated("Đắk Lắk", "dx_broadcasts", 20, "2026-06-10")],
    )


def second(settings: Settings) -> None:
    """Dossiers change state, new ones come, and one row names a province in a way nobody knows yet."""
    units = ["Đắk Lắk", "Lâm Đồng", "Gia Lai"]
    rows = [dossier(n, units[n % 3]) for n in range(12)]
    rows = [finished(row, 18 if n % 2 else 12) if n < 7 else row for n, row in enumerate(rows)]
    came = {"received_at": "2026-06-20T09:00:00+07:00", "due_at": "2026-07-15T17:00:00+07:00"}
    rows += [dossier(n, units[n % 3], **came) for n in range(12, 16)]
    rows += [dossier(40, "Dacklack")]
    drop(settings, "online_services", rows)


def third(settings: Settings) -> None:
    """An agency restates its staff, a figure is stated anew, and a correction comes."""
    units = ["Đắk Lắk", "Lâm Đồng", "Gia Lai"]
    drop(settings, "staffing", [staff(unit, code, 40 + n) for n, unit in enumerate(units) for code in ("SNV", "SYT")])
    drop(settings, "declarations", [stated("Đắk Lắk", "dx_broadcasts", 31, "2026-06-21")])
    correction = {
        "id": "dak-lak-broadcasts",
        "unit": "P34-66",
        "metric": "dx_broadcasts",
        "basis": "declared",
        "year": YEAR,
        "action": "override",
        "value": 12,
        "guard": {"value": 31},
        "reason": "Đài đếm cả chương trình phát lại",
        "document": "12/BC-STTTT",
    }
    written = yaml.safe_dump({"corrections": [correction]})
    (settings.include_dir / "corrections" / "dak-lak.yml").write_text(written, "utf-8")


def fourth(settings: Settings) -> None:
    """The method changes, a province moves to another region, the strange name becomes known and is sent again."""
    edit_indicator(settings, "1.5", target="6")
    reference = settings.include_dir / "reference"
    with (reference / "unit_alias.csv").open("a", encoding="utf-8") as file:
        file.write("34,Dacklack,P34-66,spelling\n")
    units = (reference / "unit.csv").read_text("utf-8").splitlines()
    header = units[0].split(",")
    regions = {line.split(",")[header.index("region_code")] for line in units if line.startswith("P34-")}
    own = next(line for line in units if line.startswith("P34-66,"))
    region = own.split(",")[header.index("region_code")]
    other = min(regions - {region})
    edit_lines(reference / "unit.csv", own, own.replace(f",{region},", f",{other},", 1))
    drop(
        settings,
        "online_services",
        [dossier(40, "Dacklack", updated_at="2026-06-22T08:00:00+07:00"), finished(dossier(8, "Gia Lai"), 21)],
    )


def fifth(settings: Settings) -> None:
    """The source is repaired, the correction goes, the method is as it was, dossiers of old days change once more."""
    (settings.include_dir / "corrections" / "dak-lak.yml").unlink()
    edit_indicator(settings, "1.5", target="4")
    drop(settings, "declarations", [stated("Đắk Lắk", "dx_broadcasts", 12, "2026-06-23")])
    again = "2026-06-23T08:00:00+07:00"
    drop(
        settings,
        "online_services",
        [dossier(n, "Lâm Đồng", fee_vnd=0, updated_at=again) for n in (10,)]
        + [finished(dossier(n, "Đắk Lắk"), 23) for n in (9,)],
    )


CHANGES: list[Callable[[Settings], None]] = [first, second, third, fourth, fifth]


@pytest.fixture
def nights(project: Settings) -> dict[date, tuple[str, dict[str, Rows]]]:
    """Every night's run id and marts, kept on its morning."""
    kept = {}
    for night, change in zip(NIGHTS, CHANGES, strict=True):
        change(project)
        run_id = run_night(project, night)
        kept[night] = (run_id, marts_of(project, run_id))
    return kept


def recompute(settings: Settings, as_of: str, key: str) -> str:
    """The candidate of a request as of then; the request is withdrawn again, so that the year is free."""
    request = flow.annual_open(
        year=YEAR, reason="đối chiếu", requester="kiểm thử", key=key, framework_id=FRAMEWORK, as_of=as_of,
        settings=settings,
    )  # fmt: skip
    run = compute_candidate(request["request_id"], settings=settings)
    end_request(request["request_id"], "withdrawn", "compared", settings=settings)
    return run.run_id


def figures(marts: dict[str, Rows]) -> list[Any]:
    return [(row["unit_id"], row["indicator_code"], row["value"], row["points"]) for row in marts["indicator_score"]]


def facts_checksum(settings: Settings) -> Any:
    with engine(settings, "loader").connect() as connection:
        return connection.execute(
            text(
                "select md5(string_agg(t, '|' order by t)) from ("
                + " union all ".join(f"select '{feed}' || f::text as t from facts.{feed} as f" for feed in COLUMNS)
                + ") as every"
            )
        ).scalar_one()


def test_each_night_is_recomputed_as_it_was_known(project: Settings, nights: Any) -> None:
    marts = [found for _, found in nights.values()]
    for before, after in pairwise(marts):
        assert figures(before) != figures(after), "every night says something else"
    assert len({row["rank_region"] for found in marts for row in found["pillar_index"] if row["unit_id"] == MOVED}) > 1
    assert marts[2]["correction"], "the correction was there on the third night"
    assert not marts[4]["correction"], "and had gone on the fifth"
    facts = facts_checksum(project)

    for night, (run_id, kept) in nights.items():
        again = recompute(project, night.isoformat(), key=f"as of {night}")
        assert again != run_id
        for mart, rows in marts_of(project, again).items():
            assert rows == kept[mart], f"{mart} as of {night}"
        assert marts_of(project, run_id) == kept, "the night's own run stands as it was"
    assert facts_checksum(project) == facts, "the facts of the nights were not touched"


def test_a_moment_knows_what_had_landed_and_a_run_what_it_saw(project: Settings) -> None:
    first(project)
    known = run_night(project, NIGHTS[0])
    second(project)
    (source,) = load_sources("online_services")
    flow.extract(source.source, NIGHTS[1], settings=project)
    landed = now()
    seen = str(flow.compute(NIGHTS[0], FRAMEWORK, settings=project)["run_id"])
    assert seen == known
    before_loading = marts_of(project, seen)
    flow.gate("online_services", NIGHTS[1], settings=project)
    flow.load("online_services", NIGHTS[1], settings=project)

    by_run = recompute(project, seen, key="by run")
    assert marts_of(project, by_run) == before_loading, "landed in time, and not loaded when that run looked"
    by_moment = recompute(project, landed.isoformat(), key="by moment")
    received = {
        row["unit_id"]: row["value"]
        for row in marts_of(project, by_moment)["metric_value"]
        if row["metric"] == "dossiers_received"
    }
    assert sum(received.values()) == 16


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"as_of": (now() + timedelta(days=2)).isoformat()}, "still to come"),
        ({"as_of": (now() + timedelta(days=1)).date().isoformat()}, "still to come"),
        ({"as_of": "next week"}, "no moment, no day and no run"),
        ({"as_of": "2026-01-01T00:00+07:00"}, "was not kept"),
        ({"year": now().year + 2}, "has not begun"),
        ({"year": 1999, "framework_id": None}, "no framework that can be computed is in force for 1999"),
        ({"framework_id": "405-2025"}, "kept as published results only"),
        ({"framework_id": "nobody"}, "nobody"),
        ({"reason": "  "}, "no reason"),
        ({"requester": ""}, "nobody asks"),
        ({"accepted_checks": ["luck"]}, "no such check: luck"),
        ({}, "nothing had landed"),
    ],
)
def test_what_cannot_be_computed_is_refused_before_anything_runs(
    project: Settings, asked: dict[str, Any], words: str
) -> None:
    flow.prepare(project)
    request = {"year": 2025, "framework_id": FRAMEWORK, "reason": "x", "requester": "y", "key": "z"} | asked
    with pytest.raises(RequestError, match=words) as refused:
        flow.annual_open(**request, settings=project)
    assert refused.value.remedy
    with engine(project, "loader").connect() as connection:
        assert connection.execute(text("select count(*) from annual.request")).scalar_one() == 0


def test_a_year_has_one_open_request_and_is_refused_by_name(project: Settings) -> None:
    first(project)
    run_night(project, NIGHTS[0])
    asked = {"year": YEAR, "framework_id": FRAMEWORK, "reason": "lần đầu", "requester": "Lan"}
    one = flow.annual_open(**asked, key="one", settings=project)
    assert one["request_id"] == "2026-r1"
    assert flow.annual_open(**asked, key="one", settings=project) == one, "who repeats gets the same request"
    with pytest.raises(RequestError, match=r"2026-r1, asked by Lan .* is still requested") as refused:
        flow.annual_open(**asked | {"requester": "Minh"}, key="two", settings=project)
    assert "withdraw 2026-r1" in refused.value.remedy
    end_request("2026-r1", "withdrawn", "nhầm", settings=project)
    assert flow.annual_open(**asked, key="three", settings=project)["request_id"] == "2026-r2"
