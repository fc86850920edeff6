"""When a replayed figure counts as reproduced, and where a replay keeps what it makes up."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dti.cli.replay import replay_settings
from dti.cli.replay_compare import agrees, summary
from dti.settings import Settings


def figure(measure: str, published: str | None, computed: str | None, **others: Any) -> dict[str, Any]:
    known = {
        "unit_id": "P63-38",
        "measure": measure,
        "published": None if published is None else Decimal(published),
        "computed": None if computed is None else Decimal(computed),
        "published_rank": None,
        "rank_of_published_value": 15,
        "computed_rank": 15,
        "is_pillar": measure == "HT",
    }
    made = known | others
    return made | {"agrees": agrees(made)}


@pytest.mark.parametrize(
    ("row", "reproduced"),
    [
        (figure("HT", "0.5177", "0.5177"), True),
        (figure("HT", "0.5177", "0.5178"), False),
        (figure("HT", "0.5177", None), False),
        (figure("PDTI", "0.6350", "0.6351", published_rank=15), True),
        (figure("PDTI", "0.6350", "0.6352", published_rank=15), False),
        (figure("PDTI", "0.6350", "0.6350", published_rank=15, computed_rank=16), False),
        (figure("PDTI", "0.6350", "0.6350", computed_rank=16), False),
        (figure("CHINH_QUYEN_SO", None, "0.6298", published_rank=40, computed_rank=40), True),
        (figure("CHINH_QUYEN_SO", None, "0.6298", published_rank=40, computed_rank=41), False),
        (figure("CHINH_QUYEN_SO", "0.6683", "0.6683", computed_rank=29), True),
        (figure("CHINH_QUYEN_SO", "0.6683", "0.6683", published_rank=29, computed_rank=30), False),
    ],
)
def test_values_and_every_published_rank_count(row: dict[str, Any], *, reproduced: bool) -> None:
    assert row["agrees"] is reproduced


def test_the_summary_counts_ties_mean_and_spread() -> None:
    rows = [
        figure("PDTI", "0.8002", "0.8002", published_rank=1, computed_rank=1),
        figure("PDTI", "0.6350", "0.6350", published_rank=15),
        figure("PDTI", "0.6350", "0.6350", published_rank=15),
        figure("HT", "0.5177", "0.5178"),
    ]
    assert summary(rows) == [
        "3 of 3 PDTI equal to the fourth decimal, 3 of 3 ranks reproduced (ties at 15 included)",
        "0 of 1 published pillars, composites and their ranks reproduced",
        "mean: published 0.6901, computed 0.6901",
        "best: published 0.8002, computed 0.8002",
        "last: published 0.6350, computed 0.6350",
    ]


def test_a_replay_never_meets_the_warehouse_of_the_nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTI_WAREHOUSE_URL", "postgresql://owner:secret@nights.example/dti")
    monkeypatch.setenv("DTI_ANALYST_URL", "postgresql://analyst:secret@nights.example/dti")
    monkeypatch.setenv("DTI_HOME", str(tmp_path))
    base = Settings()
    own = replay_settings("922-2022", 2022, base)
    assert base.warehouse_url is not None, "the nights have a server of their own"
    assert own.warehouse_url is None
    assert own.analyst_url is None
    assert own.home_dir == tmp_path.resolve() / "replay" / "922-2022-2022"
    assert own.sources_dir == own.home_dir / "sources"
