"""The commands for runs on request, as a person types them."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from dti.cli import app
from dti.settings import Settings
from dti.warehouse.query import run_select

runner = CliRunner()


def test_a_run_on_request_is_printed_and_stands_beside_the_nightly_ones(warehouse: Settings) -> None:
    done = runner.invoke(app, ["compute", "--date", "2024-12-31", "--geography", "34", "--merge", "average"])
    assert done.exit_code == 0, done.output
    assert "average from former provinces" in done.output
    assert "request-2024-12-31.922-2022.34.average" in done.output
    assert "1 Jan to 31 Dec" in done.output
    assert sum("Đắk Lắk" in line for line in done.output.splitlines()) == 1
    runs = list(run_select("select kind, merge_method from run order by 1", warehouse)[1])
    assert runs == [("request", "average"), ("request_parts", "none")]
    assert list(run_select("select * from latest_run", warehouse)[1]) == []


def test_a_closed_year_on_request(warehouse: Settings) -> None:
    done = runner.invoke(app, ["compute", "--date", "2026-03-01", "--year", "2022"])
    assert done.exit_code == 0, done.output
    assert "63 units" in done.output
    assert "request-2026-03-01.922-2022.63.2022" in done.output


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--date", "2026-03-01", "--geography", "63"], "cannot be divided"),
        (["--date", "2024-12-31", "--geography", "34"], "merge average"),
        (["--date", "2024-12-31", "--merge", "guess"], "guess"),
        (["--framework", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_computed_is_said_in_words(warehouse: Settings, asked: list[str], said: str) -> None:
    done = runner.invoke(app, ["compute", *asked])
    assert done.exit_code != 0
    assert said in " ".join(done.output.split())
    assert "Traceback" not in done.output


def test_small_numbers_are_written_out(warehouse: Settings) -> None:
    done = runner.invoke(app, ["sql", "select 0.000000468455 as x, null as y, 'a,b' as z"])
    assert done.output == 'x,y,z\n0.000000468455,,"a,b"\n'
