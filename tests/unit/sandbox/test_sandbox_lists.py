"""The agencies' lists over HTTP: tokens, limits, paging, the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import truth
from sandbox.web.limit import RateLimit
from tests.unit.sandbox.served import CLIENT, NIGHT, Served, serving

SINCE, UNTIL = "20260501000000", "20260701000000"


@pytest.fixture
def hasty() -> Iterator[Served]:
    """A sandbox of one's own, whose tokens live a second and whose third request is one too many."""
    yield from serving(token_seconds=1, limit=RateLimit(first=3, every=1000))


def test_a_wrong_secret_gets_no_token(served: Served) -> None:
    for auth in ((CLIENT[0], "wrong"), ("stranger", CLIENT[1])):
        answer = requests.post(
            f"{served.url}/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth, timeout=10
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_id_and_secret_may_stand_in_the_body(served: Served) -> None:
    form = {"grant_type": "client_credentials", "client_id": CLIENT[0], "client_secret": CLIENT[1]}
    answer = requests.post(f"{served.url}/oauth2/token", data=form, timeout=10)
    assert answer.json()["expires_in"] == 60
    assert served.get("/dak-lak/api/thu-tuc", answer.json()["access_token"]).status_code == 200


def test_no_list_without_a_token(served: Served) -> None:
    answer = requests.get(f"{served.url}/quoc-gia/api/ho-so", timeout=10)
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


def test_a_token_expires(hasty: Served) -> None:
    token = hasty.token()
    assert hasty.get("/dak-lak/api/thu-tuc", token).status_code == 200
    time.sleep(1.05)
    assert hasty.get("/dak-lak/api/thu-tuc", token).status_code == 401
    assert hasty.get("/dak-lak/api/thu-tuc").status_code == 200


def test_the_rate_limit_says_when_to_come_back_and_means_it(hasty: Served) -> None:
    def ask() -> requests.Response:
        header = {"Authorization": f"Bearer {hasty.token()}"}
        return requests.get(f"{hasty.url}/dak-lak/api/thu-tuc", headers=header, timeout=10)

    assert [ask().status_code for _ in range(2)] == [200, 200]
    refused = ask()
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert ask().status_code == 429, "who does not wait is refused again"
    time.sleep(1)
    assert ask().status_code == 200


def test_everything_says_that_it_is_synthetic(served: Served) -> None:
    for path in ("/health", "/nowhere", "/ca-mau/api/ho-so", "/quoc-gia/api/thu-tuc"):
        answer = requests.get(f"{served.url}{path}", timeout=10)
        assert answer.headers["X-Synthetic"] == "true"
    document = served.get("/quoc-gia/api/kiem-ke", soBanGhi=3).json()
    assert document["synthetic"] is True
    assert all(record["synthetic"] is True for record in document["duLieu"])


def test_the_dead_agency_is_dead(served: Served) -> None:
    answer = requests.get(f"{served.url}/ca-mau/api/ho-so", timeout=10)
    assert answer.status_code == 503
    assert "html" in answer.headers["Content-Type"]


def test_by_change_time_nothing_is_lost(served: Served) -> None:
    """Ask again from the last change time seen, as a pull does; records of that second come twice."""
    token, since, found = served.token(), SINCE, {}
    while True:
        page = served.get("/dak-lak/api/ho-so", token, tuNgay=since, denNgay=UNTIL, soBanGhi=40).json()["duLieu"]
        times = [record["NgayCapNhat"] for record in page]
        assert times == sorted(times)
        assert all(since <= t < UNTIL for t in times)
        found |= {(r["MaHoSo"], r["NgayCapNhat"]): r for r in page}
        if len(page) < 40:
            break
        since = times[-1]
    assert list(found.values()) == _truth("dvc-dak-lak")


def test_pages_within_one_change_time(served: Served) -> None:
    token = served.token()
    pages = [
        served.get("/dak-lak/api/ho-so", token, tuNgay=SINCE, denNgay=UNTIL, soBanGhi=30, trang=n).json()["duLieu"]
        for n in (1, 2)
    ]
    assert pages[0] + pages[1] == _truth("dvc-dak-lak")[:60]


@pytest.mark.parametrize(
    ("path", "source"), [("/lam-dong/api/ho-so", "dvc-lam-dong"), ("/quoc-gia/api/thu-tuc", "tthc-quoc-gia")]
)
def test_by_page_number_all_is_read(served: Served, path: str, source: str) -> None:
    token, found, number = served.token(), list[dict[str, Any]](), 1
    window = {"tuNgay": "01/05/2026 00:00:00", "denNgay": "2026-07-01T00:00:00+07:00"} if "ho-so" in path else {}
    while True:
        document = served.get(path, token, trang=number, soBanGhi=400, **window).json()
        found += document["duLieu"]
        if not document["duLieu"]:
            break
        number += 1
    assert document["tongSo"] == len(found)
    assert found == _truth(source)


@pytest.mark.parametrize("name", ["kiem-ke", "khai-bao"])
def test_by_cursor_all_is_read(served: Served, name: str) -> None:
    token, found, cursor = served.token(), list[dict[str, Any]](), None
    while True:
        document = served.get(f"/quoc-gia/api/{name}", token, soBanGhi=1000, conTro=cursor).json()
        found += document["duLieu"]
        cursor = document["tiepTheo"]
        if cursor is None:
            break
    assert document["tongSo"] == len(found)
    assert found == _truth(f"{name}-quoc-gia")


@pytest.mark.parametrize("wrong", [{"tuNgay": "hôm qua"}, {"soBanGhi": "0"}, {"soBanGhi": "5001"}, {"trang": "-1"}])
def test_a_senseless_question_is_refused(served: Served, wrong: dict[str, str]) -> None:
    answer = served.get("/dak-lak/api/ho-so", **wrong)
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.json()["error_description"]


def test_the_clock_moves_for_those_who_may_and_takes_the_drop_folder_along(tmp_path: Path) -> None:
    def reports() -> list[str]:
        return sorted(p.name for p in tmp_path.rglob("nhan-luc-*.xlsx"))

    for moving in serving(tmp_path):
        url = f"{moving.url}/control/clock"
        before = reports()
        assert before == ["nhan-luc-2026-04.xlsx", "nhan-luc-2026-05.xlsx"]
        for stranger in (None, (CLIENT[0], "wrong")):
            refused = requests.put(url, json={"clock": "2026-07-05T09:00"}, auth=stranger, timeout=10)
            assert refused.status_code == 401
        assert requests.put(url, json={"clock": "morgen"}, auth=CLIENT, timeout=10).status_code == 400
        moved = requests.put(url, json={"clock": "2026-07-05T09:00"}, auth=CLIENT, timeout=30)
        assert moved.json() == {"synthetic": True, "clock": "2026-07-05T09:00:00+07:00", "fixed": True}
        assert reports() == ["nhan-luc-2026-05.xlsx", "nhan-luc-2026-06.xlsx"]
        assert moving.get("/dak-lak/api/ho-so", tuNgay="20260704000000").json()["tongSo"] > 0
        requests.put(url, json={"clock": "2026-07-01T02:00"}, auth=CLIENT, timeout=30).raise_for_status()
        assert reports() == before


def _truth(source: str) -> list[dict[str, Any]]:
    return [d.record for d in truth.delivered(source, NIGHT, since=NIGHT.replace(month=5, day=1))]
