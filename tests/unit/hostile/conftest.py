"""Says after the run how many hostile cases were tried."""

from __future__ import annotations

import pytest

from tests.unit.hostile.profiles import CASES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a test, and the sum; of this process only, so not with ``-n``."""
    if CASES:
        terminalreporter.section("hostile cases")
        for name, count in sorted(CASES.items()):
            terminalreporter.write_line(f"{count:7,} {name}")
        terminalreporter.write_line(f"{CASES.total():7,} in all")
