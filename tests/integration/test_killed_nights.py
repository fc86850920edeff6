"""Nights killed at random moments and tried again: every table is that of nights that nobody disturbed.

``DTI_KILLS`` says how many kills (12 unless told; 200 take some 20 minutes), ``DTI_KILL_SEED`` which moments.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dti.warehouse import embedded
from tests.builders.agencies import Agencies
from tests.builders.two_feeds import FEEDS, Home, a_project
from tests.conftest import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
KILLS = int(os.environ.get("DTI_KILLS", "12"))
SEED = int(os.environ.get("DTI_KILL_SEED") or random.SystemRandom().randrange(10**6))


@pytest.fixture
def homes(tmp_path: Path, agencies: Agencies) -> Iterator[list[Home]]:
    """Two prepared DTI_HOMEs with a server each."""
    (tmp_path / "project").mkdir()
    project = a_project(tmp_path / "project")
    homes = [Home.prepare(project, tmp_path / name, agencies) for name in ("calm", "hurt")]
    yield homes
    for home in homes:
        embedded.stop(home.settings)


def test_nights_killed_at_random_moments_end_as_undisturbed_ones(
    agencies: Agencies, homes: list[Home], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, "-m", "tests.integration.killed_nights", *(str(h.settings.home_dir) for h in homes)]
    with (tmp_path / "nights.jsonl").open("w+") as lines:
        done = subprocess.run(
            [*command, str(KILLS), str(SEED)],
            env=homes[0].environment,
            cwd=PROJECT,
            stdout=lines,
            stderr=subprocess.PIPE,
            text=True,
        )
        lines.seek(0)
        nights = [json.loads(line) for line in lines]
    assert done.returncode == 0, done.stderr[-4000:]
    for told in nights:
        assert (told["different"], told["left"]) == ({}, []), f"{told['night']}, DTI_KILL_SEED={SEED}"
    assert sum(told["kills"] for told in nights) >= KILLS
    for name in ("facts.online_services", *(f"lake.{feed}" for feed in FEEDS), "score.indicator_score"):
        assert nights[-1]["rows"][name] > 100, name
    record_property("kills", f"DTI_KILLS={KILLS} DTI_KILL_SEED={SEED}, {len(nights)} nights: {nights[-1]['rows']}")
