"""The list of sources that DAGs are laid out from."""

from __future__ import annotations

from dti_airflow.roster import Entry, pools, roster


def write(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yml").write_text(text, "utf-8")


def test_sources_of_a_feed_by_id_with_the_pool_of_their_agency(tmp_path):
    write(tmp_path / "b", "second", "source: second\nfeed: staffing\npool: agency_x\n")
    write(tmp_path / "a", "first", 'source: first\nfeed: "staffing"\n')
    write(tmp_path, "other", "feed: declarations\n")
    assert roster("staffing", tmp_path) == [
        Entry("first", "staffing", "agency_default"),
        Entry("second", "staffing", "agency_x"),
    ]
    assert pools("staffing", tmp_path) == ["agency_default", "agency_x"]
    assert pools(None, tmp_path) == ["agency_default", "agency_x"]


def test_a_disabled_source_is_left_out(tmp_path):
    write(tmp_path, "off", "feed: staffing\nenabled: false\n")
    assert roster(None, tmp_path) == []


def test_a_broken_file_keeps_its_place_so_that_its_own_task_fails(tmp_path):
    write(tmp_path, "broken", "feed: staffing\npool: agency_x\nfields: {a: [b\n  nonsense: :\n")
    assert roster("staffing", tmp_path) == [Entry("broken", "staffing", "agency_x")]


def test_only_keys_at_the_top_count(tmp_path):
    write(tmp_path, "nested", "feed: staffing\nconnector:\n  pool: none\n  enabled: false\n# pool: comment\n")
    assert roster(None, tmp_path) == [Entry("nested", "staffing", "agency_default")]
