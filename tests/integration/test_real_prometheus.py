"""A real Prometheus with node-exporter, pulled by a source file, landed, gated, rolled up and scored."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import yaml

from dti import clock, flow
from dti.landing import ledger
from dti.settings import Settings, get_settings
from dti.sources.spec import load_source_file
from dti.sources.window import Window
from dti.warehouse.query import run_select

pytestmark = pytest.mark.slow
EXAMPLE = Path("include/sources/examples/prometheus-node-exporter.yml")


def _wait_for(url: str, params: dict[str, str] | None, ready: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if ready(requests.get(url, params=params, timeout=2)):  # type: ignore[operator]
                return
        except requests.RequestException:
            pass
        time.sleep(0.3)
    raise AssertionError(f"{url} did not become ready in {seconds} s")


@pytest.fixture
def prometheus(tmp_path: Path, free_port: object) -> Iterator[str]:
    """Address of a Prometheus that scrapes one node-exporter every second and has half a minute of samples."""
    node, server = free_port(), free_port()  # type: ignore[operator]
    textfiles = tmp_path / "textfile"
    textfiles.mkdir()
    (textfiles / "antimalware.prom").write_text("antimalware_running 1\n")
    config = tmp_path / "prometheus.yml"
    job = {"job_name": "node", "static_configs": [{"targets": [f"127.0.0.1:{node}"]}]}
    config.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}))
    commands = [
        ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{node}",
         f"--collector.textfile.directory={textfiles}"],
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
         f"--web.listen-address=127.0.0.1:{server}"],
    ]  # fmt: skip
    with ExitStack() as stack:
        for command in commands:
            log = stack.enter_context((tmp_path / f"{command[0]}.log").open("w"))
            process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log))
            stack.callback(process.terminate)
        address = f"http://127.0.0.1:{server}"
        enough = {"query": 'count_over_time(up{job="node"}[1m]) >= 35'}
        _wait_for(f"{address}/api/v1/query", enough, lambda answer: answer.json()["data"]["result"], 90)
        yield address


def test_a_night_of_a_real_prometheus(prometheus: str, warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTI_PROMETHEUS_URL", prometheus)
    source = load_source_file(get_settings().project / EXAMPLE)
    moment = clock.now()
    night = clock.local_day(moment)
    window = Window(night=night, since=moment - timedelta(hours=1), until=clock.day_end(night))

    manifest = ledger.land(source, window, None, settings=warehouse)
    assert manifest.outcome == "landed"
    assert manifest.rows >= 6, "six measures, at least one sample each"
    assert flow.gate("data_centre", night, settings=warehouse)["rows_quarantined"] == 0
    flow.load("data_centre", night, settings=warehouse)
    flow.compute(night, settings=warehouse)

    columns, rows = run_select(
        "select metric, value from marts.metric_value where feed = 'data_centre' and unit_id = 'P34-66'", warehouse
    )
    assert columns == ["metric", "value"]
    metric = {name: float(value) for name, value in rows}
    assert metric["servers_total"] == metric["servers_with_antimalware"] == 1
    assert metric["data_centre_expected_seconds"] % 86_400 == 0
    assert 15 <= metric["data_centre_up_seconds"] <= 3_600
    assert metric["data_centre_up_seconds"] % 15 == pytest.approx(0, abs=1e-6)
