from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from dti.errors import ConfigError
from dti.secrets import pseudonym_key, secret
from dti.settings import Settings, get_settings


def test_a_secret_is_made_once_and_kept_from_others(settings: Settings) -> None:
    first = secret(settings, "airflow_password")
    assert len(first) >= 43
    assert secret(settings, "airflow_password") == first
    assert secret(settings, "another") != first
    path = settings.home_dir / "secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["airflow_password"] == first


def test_processes_that_ask_at_once_get_the_same(settings: Settings) -> None:
    script = "from dti.settings import Settings; from dti.secrets import secret; print(secret(Settings(), 'a'))"
    with ThreadPoolExecutor(6) as pool:
        runs = pool.map(
            lambda _: subprocess.run([sys.executable, "-c", script], capture_output=True, check=True), range(6)
        )
        threads = pool.map(lambda n: secret(settings, f"thread_{n % 2}"), range(20))
        assert len({run.stdout for run in runs}) == 1
        assert len(set(threads)) == 2
    held = json.loads((settings.home_dir / "secrets.json").read_text())
    assert set(held) == {"a", "thread_0", "thread_1"}


def test_the_pseudonym_key_is_given_or_generated(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    generated = pseudonym_key(settings)
    assert len(generated) >= 32
    assert pseudonym_key(settings) == generated
    monkeypatch.setenv("DTI_PSEUDONYM_KEY", "a key that is long enough")
    get_settings.cache_clear()
    assert pseudonym_key(get_settings()) == b"a key that is long enough"


def test_a_short_pseudonym_key_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTI_PSEUDONYM_KEY", "hunter2")
    get_settings.cache_clear()
    with pytest.raises(ConfigError, match="DTI_PSEUDONYM_KEY") as caught:
        pseudonym_key(get_settings())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ['{"a": "topsecret"', '["topsecret"]', '{"a": 1}'])
def test_a_broken_file_is_named_but_not_shown_nor_overwritten(settings: Settings, text: str) -> None:
    path = settings.home_dir / "secrets.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"secrets\.json") as caught:
        secret(settings, "b")
    assert "topsecret" not in str(caught.value)
    assert path.read_text() == text
