"""A real S3 API to test against: moto's, on a free port of the loopback address, for one key and secret.

    python -m tests.builders.s3_server BUCKET ACCESS_KEY HOLD

Prints its port and serves until its standard input ends. Moto checks the condition of a conditional put and writes in
two steps, where S3 takes them as one; so here requests that write wait for one another. Whoever comes with another
access key is refused, as S3 does.

While the file HOLD is there, a write to a key that holds its text is kept waiting (HOLD.held tells so), and never done.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
HELD_SECONDS = 60
HEEDLESS = "be a store that knows no conditions"
WRITES = {"PUT", "POST", "DELETE"}
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def guarded(application: Application, access_key: str, hold: Path) -> Application:
    """The application, for one key, and one write at a time."""
    one_write = threading.Lock()

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if f"Credential={access_key}/" not in environ.get("HTTP_AUTHORIZATION", ""):
            start("403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(DENIED)))])
            return [DENIED]
        if hold.exists() and hold.read_text("utf-8") == HEEDLESS:
            environ.pop("HTTP_IF_NONE_MATCH", None)
        if environ["REQUEST_METHOD"] in WRITES and hold.exists() and hold.read_text("utf-8") in environ["PATH_INFO"]:
            hold.with_suffix(".held").touch()
            deadline = time.monotonic() + HELD_SECONDS
            while hold.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            start("503 Service Unavailable", [("Content-Length", "0")])
            return []
        with one_write if environ["REQUEST_METHOD"] in WRITES else nullcontext():
            return application(environ, start)

    return answer


def main(bucket: str, access_key: str, hold: str) -> None:
    logging.getLogger("werkzeug").setLevel("ERROR")
    application = guarded(DomainDispatcherApplication(create_backend_app), access_key, Path(hold))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    known = {"aws_access_key_id": access_key, "aws_secret_access_key": "any", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=url, **known).create_bucket(Bucket=bucket)
    print(server.server_port, flush=True)  # noqa: T201 — its answer to whoever started it
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
