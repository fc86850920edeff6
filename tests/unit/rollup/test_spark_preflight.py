"""What Spark needs and does not find is told at once, with the remedy; nothing is started."""

from __future__ import annotations

import importlib.util
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from dti.errors import ConfigError, DtiError
from dti.rollup import rollup
from dti.rollup.spark import preflight, session
from dti.settings import Settings


@pytest.fixture
def on_spark(settings: Settings) -> Callable[..., Settings]:
    return lambda **changes: settings.model_copy(update={"rollup_engine": "spark"} | changes)


def told(settings: Settings, files: list[str] | None = None) -> DtiError:
    with pytest.raises(DtiError) as caught:
        rollup("staffing", ["/lake/partition_key=x/p.parquet"] if files is None else files, settings=settings)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("files", [[], None])
def test_without_the_extra(
    files: list[str] | None, on_spark: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyspark" else find(name))
    error = told(on_spark(), files)
    assert isinstance(error, ConfigError)
    assert "uv sync --extra spark" in error.remedy


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "there is none"),
        ("echo 'openjdk version \"11.0.2\" 2019-01-15' >&2", "this is 11"),
        ("echo 'java version \"1.8.0_202\"' >&2", "this is 8"),
        ("exit 1", "does not run"),
        ("echo nonsense >&2", "unknown version"),
    ],
)
def test_without_a_java_that_it_runs_on(
    script: str | None, words: str, on_spark: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    if script is not None:
        java = tmp_path / "bin" / "java"
        java.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    error = told(on_spark())
    assert words in error.what
    assert f"JAVA_HOME={tmp_path}" in error.where
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert words in told(on_spark()).what


def test_a_newer_java_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    java = tmp_path / "bin" / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"21\" 2023-09-19' >&2\n", "utf-8")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    preflight.require_spark()


@pytest.mark.parametrize("master", ["", "local[0]", "locally", "yarn", "k8s://host", "spark://", "spark://host:7077/x"])
def test_a_master_of_another_kind(master: str, on_spark: Callable[..., Settings]) -> None:
    for files in ([], None):
        error = told(on_spark(spark_master=master), files)
        assert error.where == "DTI_SPARK_MASTER"
        assert "spark://host:7077" in error.remedy


def test_a_master_that_does_not_answer(on_spark: Callable[..., Settings]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{nobody.getsockname()[1]},no-such-host.invalid:7077"
        started = time.monotonic()
        error = told(on_spark(spark_master=master, spark_secret=SecretStr("x")))
    assert time.monotonic() - started < 60
    assert "no Spark master answers (127.0.0.1:" in error.what
    assert "no-such-host.invalid" in error.what
    assert master in error.where
    assert "no port" in told(on_spark(spark_master="spark://127.0.0.1", spark_secret=SecretStr("x"))).what


def test_a_cluster_is_joined_with_a_secret_only(on_spark: Callable[..., Settings]) -> None:
    error = told(on_spark(spark_master="spark://127.0.0.1:7077"))
    assert error.where == "DTI_SPARK_SECRET"
    assert "spark.authenticate" in error.remedy


def test_executors_are_told_the_address_from_which_the_master_is_reached(on_spark: Callable[..., Settings]) -> None:
    with socket.create_server(("127.0.0.2", 0)) as master:
        address = f"spark://127.0.0.1:1,127.0.0.2:{master.getsockname()[1]}"
        known = on_spark(spark_master=address, spark_secret=SecretStr("x"))
        assert preflight.own_address(known).startswith("127.0.0.")


@pytest.mark.parametrize(
    ("limit", "jvm"),
    [
        ("2GB", "1907m"),
        ("512MiB", "512m"),
        ("4 gib", "4096m"),
        ("1.5GB", "1430m"),
        ("100MB", "512m"),
        ("1TB", "953674m"),
    ],
)
def test_memory_is_what_duckdb_would_have(limit: str, jvm: str) -> None:
    assert session.memory(limit) == jvm


def test_memory_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        session.memory("much")
    assert caught.value.where == "DTI_ROLLUP_MEMORY_LIMIT"


def test_folders_of_sessions_that_are_gone_are_removed_and_others_are_not(settings: Settings) -> None:
    mine, lock = session._own_folder(settings)
    gone = mine.parent / "gone"
    gone.mkdir()
    (gone / "facts.parquet").write_text("half")
    gone.with_suffix(".lock").touch()
    other, other_lock = session._own_folder(settings)
    assert not gone.exists()
    assert mine.is_dir()
    session._forget(mine, lock)
    session._forget(other, other_lock)
    assert [path.name for path in mine.parent.iterdir()] == ["lock"]
