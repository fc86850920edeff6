"""What rooms ask of a store is answered alike by a disk and by a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from dti.errors import ConfigError
from dti.settings import Settings
from dti.store import AlreadyThere, StoreError, scratch, store_of
from dti.store.bucket import bucket_of
from tests.builders.object_store import ObjectStore

pytestmark = pytest.mark.usefixtures("store_keys")


@pytest.fixture(params=["disk", "bucket"])
def either(request: pytest.FixtureRequest, settings: Settings, object_store: ObjectStore) -> Settings:
    return settings if request.param == "disk" else object_store.settings(settings)


def test_files_are_found_read_replaced_and_removed_by_name(either: Settings, tmp_path: Path) -> None:
    store = store_of(either)
    names = ["a/b/one.json", "a/b/two.json", "a/c/one.json", "a/c/deep/one.json"]
    for name in names:
        store.replace(name, name.encode())
    store.replace("a/b/one.json", b"newer")
    assert store.read("a/b/one.json") == b"newer"
    assert store.find("a/*/one.json") == ["a/b/one.json", "a/c/one.json"]
    assert store.find("a/b/*") == ["a/b/one.json", "a/b/two.json"]
    assert store.below("a/c") == {"a/c/deep/one.json": 17, "a/c/one.json": 12}
    assert store.folders("a") == ["b", "c"]
    assert (store.below("none"), store.folders("none"), store.find("none/*/x")) == ({}, [], [])
    with store.at_hand(names) as paths:
        assert [path.read_bytes() for path in paths] == [b"newer", *(name.encode() for name in names[1:])]
    store.remove(["a/b/one.json", "a/b/none.json"])
    store.remove_folder("a/c")
    assert list(store.below("a")) == ["a/b/two.json"]
    with pytest.raises(FileNotFoundError):
        store.read("a/b/one.json")


def test_what_is_there_is_never_overwritten_by_a_second_writer(settings: Settings, object_store: ObjectStore) -> None:
    store = bucket_of(object_store.settings(settings))
    store.create("manifest.json", b"first")
    with pytest.raises(AlreadyThere, match="somebody else"):
        store.create("manifest.json", b"second")
    store.create("manifest.json", b"first")  # its own answer got lost, and it asks again
    assert store.read("manifest.json") == b"first"
    _, tag = store.read_tagged("manifest.json")
    store.swap("manifest.json", b"third", tag)
    with pytest.raises(AlreadyThere):
        store.swap("manifest.json", b"fourth", tag)
    assert store.read("manifest.json") == b"third"


def test_no_step_fetches_more_than_it_may(settings: Settings, object_store: ObjectStore) -> None:
    small = object_store.settings(settings).model_copy(update={"store_scratch_gb": 1e-8})
    store = store_of(small)
    store.replace("big", b"x" * 11)
    with pytest.raises(StoreError, match="DTI_STORE_SCRATCH_GB"), store.at_hand(["big"]):
        pass
    assert list((small.local_dir / "tmp" / "store").iterdir()) == []


def test_scratch_of_a_dead_process_goes_and_that_of_a_living_one_stays(settings: Settings) -> None:
    home = settings.local_dir / "tmp" / "store"
    with scratch(settings) as living:
        (home / "dead").mkdir()
        (home / "dead" / "part").write_text("x")
        (home / "dead.lock").touch()
        (home / "begun.lock").touch()
        with scratch(settings) as mine:
            assert {path.name for path in home.iterdir() if path.is_dir()} == {living.name, mine.name}
    assert list(home.iterdir()) == []


def test_a_local_home_is_as_it_was_and_another_scheme_is_refused(settings: Settings, object_store: ObjectStore) -> None:
    assert settings.local_dir == settings.home_dir
    with pytest.raises(ConfigError, match="needs DTI_HOME to be a folder"):
        _ = object_store.settings(settings).landing_dir
    with pytest.raises(ValueError, match="gs:// is no store"):
        Settings(home="gs://bucket/prefix")
