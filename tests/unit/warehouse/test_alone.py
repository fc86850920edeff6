"""One process at a time works at a feed; others wait, not for ever, and not for a dead one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from dti.errors import WarehouseError
from dti.settings import Settings
from dti.warehouse import connect
from dti.warehouse.alone import feed_alone

HOLDER = """
import time
from dti.settings import get_settings
from dti.warehouse.alone import feed_alone
with feed_alone("staffing", get_settings()):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_waits_no_longer_than_told_and_other_feeds_go_on(warehouse: Settings) -> None:
    with feed_alone("staffing", warehouse):
        with pytest.raises(WarehouseError, match="another process") as caught, feed_alone("staffing", warehouse, 0.2):
            pass
        assert caught.value.where == "staffing"
        with feed_alone("declarations", warehouse, 0.2):
            pass
    with feed_alone("staffing", warehouse, 0.2):
        pass


def test_a_failure_inside_is_told_and_lets_go(warehouse: Settings) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), feed_alone("staffing", warehouse):
        raise RuntimeError("in the middle")
    with feed_alone("staffing", warehouse, 0.2):
        pass


def test_a_killed_process_holds_nothing(warehouse: Settings) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WarehouseError), feed_alone("staffing", warehouse, 0.2):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    with feed_alone("staffing", warehouse, 10):
        pass


def test_the_block_may_end_transactions_of_its_own(warehouse: Settings) -> None:
    with feed_alone("staffing", warehouse):
        with connect.connect(warehouse, "loader") as driver:
            driver.execute("SELECT 1")
        with pytest.raises(WarehouseError), feed_alone("staffing", warehouse, 0.2):
            pass
