"""What a store refuses is told by bucket, key, store and remedy, in time, and without a secret."""

from __future__ import annotations

import json
import time
import traceback
from typing import Any

import pytest

from dti import lake
from dti.errors import ConfigError, DtiError
from dti.settings import Settings
from dti.store import StoreError, store_of
from dti.store.credentials import options
from tests.builders.object_store import BUCKET, KEY, SECRET, ObjectStore

pytestmark = pytest.mark.usefixtures("store_keys")


def told(settings: Settings) -> str:
    """What is said by reading a file and by opening a table, with every cause behind it; no secret among it."""
    said = []
    for act in (lambda: store_of(settings).read("landing/x"), lambda: lake.version("staffing", settings=settings)):
        with pytest.raises(StoreError) as caught:
            act()
        text = "".join(traceback.format_exception(caught.value))
        assert SECRET not in text
        assert KEY not in text
        assert settings.store_endpoint is not None
        assert settings.store_endpoint in str(caught.value)
        assert caught.value.remedy
        said.append(str(caught.value))
    return "\n".join(said)


def test_no_bucket(settings: Settings, object_store: ObjectStore) -> None:
    said = told(object_store.settings(settings, "s3://no-such-bucket/dti"))
    assert said.count("there is no such bucket") == 2
    assert "s3://no-such-bucket/dti/landing/x" in said
    assert "s3://no-such-bucket/dti/lake/staffing" in said


def test_access_denied(settings: Settings, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFSOMEBODY")
    said = told(object_store.settings(settings))
    assert said.count("access is denied") == 2
    assert "AKIAOFSOMEBODY" not in said


def test_nobody_there(settings: Settings, object_store: ObjectStore) -> None:
    nowhere = object_store.settings(settings).model_copy(
        update={"store_endpoint": "http://127.0.0.1:9", "store_timeout_seconds": 1.0}
    )
    started = time.monotonic()
    said = told(nowhere)
    assert said.count("the store cannot be reached") == 2
    assert "DTI_STORE_ENDPOINT" in said
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("endpoint", ["http://minio.example:9000", "minio:9000", "https://user:pw@minio.example"])
def test_an_endpoint_without_tls_or_address_is_refused(settings: Settings, endpoint: str) -> None:
    with pytest.raises(ConfigError, match="DTI_STORE_ENDPOINT"):
        options(settings.model_copy(update={"home": "s3://bucket", "store_endpoint": endpoint}))


def test_the_connection_says_who_and_where(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"endpoint_url": "https://minio.example:9000", "region_name": "vn-1", "aws_session_token": "token"}
    connection = {"conn_type": "aws", "login": "id", "password": "pw", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_DTI_STORE", json.dumps(connection))
    assert options(settings) == {
        "aws_region": "vn-1",
        "aws_access_key_id": "id",
        "aws_secret_access_key": "pw",
        "aws_session_token": "token",
        "aws_endpoint_url": "https://minio.example:9000",
    }


def test_in_a_task_airflow_is_asked_and_the_secret_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials: Any = pytest.importorskip("dti_airflow.credentials")
    masked = []
    monkeypatch.setattr(credentials, "mask_secret", masked.append)
    monkeypatch.setenv("AIRFLOW_CONN_DTI_STORE", json.dumps({"conn_type": "aws", "login": "id", "password": SECRET}))
    found = credentials.store_credentials()
    assert found.secret.get_secret_value() == SECRET
    assert masked == [SECRET]
    assert SECRET not in repr(found)


def test_every_machine_must_have_the_same_pseudonym_key(settings: Settings) -> None:
    from dti.secrets import pseudonym_key

    shared = settings.model_copy(update={"home": f"s3://{BUCKET}/x", "warehouse_url": "postgresql://elsewhere/dti"})
    with pytest.raises(DtiError, match="DTI_PSEUDONYM_KEY"):
        pseudonym_key(shared)
