"""A small method and a few figures, and a landing zone filled by hand: enough for every rule and every trail."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dti.clock import day_end, day_start
from dti.explain import explain
from dti.explain.model import Explanation
from dti.feeds import load_contract
from dti.index.run import Run, compute
from dti.landing.batch import Manifest
from dti.landing.parts import write_parts
from dti.settings import Settings
from dti.warehouse.connect import engine

UNIT, AS_OF = "P34-66", date(2026, 3, 31)
FRAMEWORK = """
framework: little
decision: 1/QĐ-THỬ
decided_on: 2022-05-20
name_vi: Bộ chỉ số thử
name_en: Little set
unit_level: province
in_force: {from_year: 2021}
max_points: 90
indicator_count: 9
basis_order: [measured, appraised, declared]
unscored: {missing: zero, undefined: zero}
rounding: {decimals: 4, mode: half_up}
ranking: competition
pillars:
  - {code: ONE, name_vi: Một, name_en: One, group_vi: Nhóm, max_points: 40, component_count: 4, provenance: quoted}
  - {code: TWO, name_vi: Hai, name_en: Two, group_vi: Nhóm, max_points: 50, component_count: 4, provenance: inferred}
  - {code: NONE, name_vi: Không, name_en: None, group_vi: Nhóm, max_points: 0, component_count: 1, provenance: quoted}
composites:
  ALL:
    {name_vi: Tất cả, name_en: All, total_weight: 40, provenance: quoted, weights: {ONE: 10, TWO: 30}}
sources: [here]
"""
COLUMNS = (
    "code,pillar_code,name_vi,name_en,max_points,rule,numerator_metric,denominator_metric,target,feed,"
    "name_provenance,points_provenance"
)
INDICATORS = f"""{COLUMNS}
1.1,ONE,Nộp,Online,15,target_ratio,dossiers_online,dossiers_received,0.5,online_services,inferred,provisional
1.2,ONE,Có phí,With fee,10,ratio,dossiers_with_fee,dossiers_received,,online_services,quoted,quoted
1.3,ONE,Trực tuyến có phí,Paid,10,ratio,dossiers_paid_online,dossiers_with_fee,,online_services,quoted,inferred
1.4,ONE,Có Tổ,Teams,5,ratio,communes_with_team,communes_total,,community_teams,quoted,quoted
2.1,TWO,Chuyên mục,Section,10,yes_no,portal_has_dx_section,,,declarations,quoted,quoted
2.2,TWO,Trưởng ban,Head,10,steps,steering_committee_head_level,,0=0;1=0.5;2=1,declarations,quoted,quoted
2.3,TWO,Diễn tập,Drills,10,target_count,security_drills,,4,declarations,quoted,quoted
2.4,TWO,Phát sóng,Broadcasts,20,target_ratio,dx_broadcasts,months_in_period,4,declarations,quoted,quoted
3.1,NONE,IOC,IOC,0,yes_no,ioc_running,,,declarations,quoted,quoted
"""


@dataclass(frozen=True)
class House:
    """A prepared warehouse with the little framework, to fill and to ask."""

    settings: Settings
    framework: Path

    def run(self, as_of: date = AS_OF, **more: Any) -> Run:
        """Compute a nightly run."""
        return compute(as_of, str(self.framework), settings=self.settings, **more)

    def ask(self, code: str, unit: str = UNIT, run_id: str | None = None) -> Any:
        """The explanation."""
        told: Explanation = explain(unit, code, run_id=run_id, settings=self.settings)
        return told

    def execute(self, sql: str, **known: object) -> list[dict[str, Any]]:
        """One statement as the loader; its rows, if it has any."""
        with engine(self.settings, "loader").begin() as connection:
            done = connection.execute(text(sql), known)
            return [dict(row) for row in done.mappings()] if done.returns_rows else []

    def source(self, source_id: str, feed: str, agency: str = "Sở KH&CN", synthetic: bool = False) -> None:
        """A registered, enabled source."""
        self.execute(
            "insert into ops.source values (:id, :feed, :agency, 'Chủ', 'open', :synthetic, 'p', true, 36)"
            " on conflict (source_id) do update set enabled = true",
            id=source_id,
            feed=feed,
            agency=agency,
            synthetic=synthetic,
        )

    def dossiers(self, unit: str = UNIT, day: date = date(2026, 3, 1), source: str = "dvc", **counts: int) -> None:
        """One row of dossier facts; what is not told is zero."""
        named = [
            "received", "online", "with_fee", "paid_online", "digitised", "reusing_data", "population_data",
            "synchronised", "finished", "on_time", "early", "electronic_result", "satisfied",
        ]  # fmt: skip
        values = {name: counts.get(name, 0) for name in named}
        self.execute(
            f"insert into facts.online_services values (:key, :day, :unit, :source, '1.000656',"
            f" {', '.join(f':{name}' for name in named)})",
            key=f"{day:%Y-%m}",
            day=day,
            unit=unit,
            source=source,
            **values,
        )

    def state(
        self, metric: str, value: object, basis: str = "declared", day: date = date(2026, 2, 1), **more: Any
    ) -> None:
        """One stated figure."""
        self.execute(
            "insert into facts.declarations values"
            " (:key, :day, :unit, :source, :year, :metric, :basis, cast(:value as numeric), null)",
            key=f"{day:%Y-%m}",
            day=day,
            unit=more.get("unit", UNIT),
            source=more.get("source", "khai-bao"),
            year=more.get("year", 2026),
            metric=metric,
            basis=basis,
            value=value,
        )

    def land(
        self, feed: str, source_id: str, records: Iterable[Mapping[str, str | None]], night: date = AS_OF
    ) -> Manifest:
        """One landed batch, as an extraction would have left it."""
        contract = load_contract(feed)
        began = day_end(night) + timedelta(hours=1)
        batch_id = f"{source_id}.{night}.{began:%Y%m%dT%H%M%S%fZ}"
        folder = self.settings.landing_dir / feed / source_id / batch_id
        folder.mkdir(parents=True)
        empty: dict[str, str | None] = dict.fromkeys(contract.landed_columns)
        rows = [{**empty, "source_row": f"page 1, record {n}", **r} for n, r in enumerate(records, start=1)]
        parts = write_parts(rows, contract.landed_columns, folder)
        manifest = Manifest(
            batch_id=batch_id, feed=feed, source_id=source_id, agency="Sở KH&CN", synthetic=False, licence="open",
            night=night, since=day_start(night), until=day_end(night), outcome="landed", rows=len(rows), parts=parts,
            sha256=hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest(), started_at=began,
            finished_at=began, source_hash="s", contract_hash="c",
        )  # fmt: skip
        (folder / "manifest.json").write_text(manifest.model_dump_json(), "utf-8")
        return manifest

    def take_in(self, feed: str, night: date = AS_OF) -> None:
        """What a night does with landed batches of a feed."""
        from dti import flow

        flow.gate(feed, night, settings=self.settings)
        flow.load(feed, night, settings=self.settings)


@pytest.fixture
def house(warehouse: Settings, tmp_path: Path) -> House:
    """A prepared warehouse without figures."""
    folder = tmp_path / "little"
    folder.mkdir()
    (folder / "framework.yml").write_text(FRAMEWORK, "utf-8")
    (folder / "indicators.csv").write_text(INDICATORS, "utf-8")
    return House(warehouse, folder)


@pytest.fixture
def filled(house: House) -> House:
    """222 of 673 dossiers online, half the figures stated, one denominator zero, and a run over it."""
    house.source("dvc", "online_services")
    house.source("khai-bao", "declarations", agency="UBND tỉnh", synthetic=True)
    house.dossiers(received=600, online=200)
    house.dossiers(day=date(2026, 3, 2), received=73, online=22)
    house.state("dossiers_online", 900, "appraised")
    house.state("dossiers_received", 1000, "declared")
    house.state("portal_has_dx_section", 1)
    house.state("steering_committee_head_level", 1, "appraised")
    house.state("security_drills", 5)
    house.state("dx_broadcasts", 6)
    house.run()
    return house
