"""An object store for tests: a real S3 API in a process of its own, and DTI_HOMEs in it."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from dti.settings import Settings
from tests.conftest import PROJECT

LEASE_SECONDS = 3.0
BUCKET, KEY, SECRET = "dti-tests", "AKIACANARYKEY", "canary-secret-of-the-store-4711"


@dataclass(frozen=True)
class ObjectStore:
    """The running store."""

    url: str
    hold: Path

    def environment(self, local: Path, home: str = "") -> dict[str, str]:
        """What a process needs to work in a DTI_HOME of its own in the store, and in a folder of its own."""
        return {
            "DTI_HOME": home or f"s3://{BUCKET}/{uuid.uuid4().hex}",
            "DTI_LOCAL": str(local),
            "DTI_STORE_ENDPOINT": self.url,
            "DTI_STORE_LEASE_SECONDS": f"{LEASE_SECONDS:g}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def settings(self, base: Settings, home: str = "") -> Settings:
        """As ``base``, with a DTI_HOME of its own in the store; what is of this machine stays where ``base`` has it."""
        update = {
            "home": home or f"s3://{BUCKET}/{uuid.uuid4().hex}",
            "local": base.local_dir,
            "store_endpoint": self.url,
            "store_lease_seconds": LEASE_SECONDS,
        }
        return base.model_copy(update=update)

    def keys(self, settings: Settings) -> list[str]:
        """Every key below a DTI_HOME, without the way to it."""
        prefix = str(settings.store_url).removeprefix(f"s3://{BUCKET}/") + "/"
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"].removeprefix(prefix) for page in pages for each in page.get("Contents", [])]

    def read(self, settings: Settings, key: str) -> bytes:
        """What an object of a DTI_HOME holds."""
        prefix = str(settings.store_url).removeprefix(f"s3://{BUCKET}/")
        content: bytes = self.client().get_object(Bucket=BUCKET, Key=f"{prefix}/{key}")["Body"].read()
        return content

    @contextmanager
    def holding(self, text: str) -> Iterator[Path]:
        """Keep writes to keys with ``text`` waiting; the file given is there once one waits. None of them is done."""
        held = self.hold.with_suffix(".held")
        held.unlink(missing_ok=True)
        self.hold.write_text(text, "utf-8")
        try:
            yield held
        finally:
            self.hold.unlink(missing_ok=True)

    def client(self) -> Any:
        """Amazon's own client, to look with eyes that are not ours."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )


@contextmanager
def object_store(folder: Path) -> Iterator[ObjectStore]:
    """A store, running for the block; ``folder`` is for its own use."""
    command = [sys.executable, "-m", "tests.builders.s3_server", BUCKET, KEY, str(folder / "hold")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        assert process.stdin
        assert process.stdout
        yield ObjectStore(f"http://127.0.0.1:{int(process.stdout.readline())}", folder / "hold")
        process.stdin.close()
