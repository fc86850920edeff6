"""Real parts for whole nights: free ports, and the sandbox's agencies as a process whose clock can be moved."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.builders.agencies import CLIENT, Agencies


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A function that names a port nobody listens on."""
    return _free_port


@pytest.fixture(scope="session")
def agencies() -> Iterator[Agencies]:
    """The sandbox on a free port, for the whole run."""
    port = _free_port()
    environment = os.environ | {"SANDBOX_CLIENT_ID": CLIENT[0], "SANDBOX_CLIENT_SECRET": CLIENT[1]}
    command = [sys.executable, "-m", "sandbox", "serve", "--port", str(port), "--clock", "2026-07-01T02:00"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            try:
                requests.get(f"{url}/health", timeout=2).raise_for_status()
                break
            except requests.RequestException:
                assert process.poll() is None, "the sandbox ended"
                assert time.monotonic() < deadline, "the sandbox does not answer"
                time.sleep(0.2)
        yield Agencies(url)
        process.terminate()
