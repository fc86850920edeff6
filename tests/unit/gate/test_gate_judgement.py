"""What becomes of a batch: every row accounted for, every bad one named, nothing decided when the gate itself fails."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from dti.errors import ConfigError, DtiError
from dti.feeds import Contract, load_contract
from dti.gate import GateError, judge, load_verdict
from dti.gate.retyped import retyped
from dti.gate.schema import passed_schema
from dti.gate.staging import staging_folder
from dti.landing.ledger import part_paths

FEED = "online_services"


@pytest.fixture
def among_good(land, good, settings):
    """Judge one row among enough good ones that it does not stop the batch."""

    def run(row, feed=FEED):
        return judge(land(feed, [*(good(feed) for _ in range(9)), row]), settings=settings)

    return run


@pytest.fixture
def rewritten(settings, tmp_path):
    """``rewritten(feed, change)``: settings of a project whose suite of this feed went through ``change``."""

    def write(feed, change):
        suite = yaml.safe_load((settings.expectations_dir / f"{feed}.yml").read_text("utf-8"))
        change(suite["expectations"])
        project = tmp_path / "project"
        (project / "expectations").mkdir(parents=True)
        (project / "include").symlink_to(settings.include_dir)
        (project / "expectations" / f"{feed}.yml").write_text(yaml.safe_dump(suite, allow_unicode=True), "utf-8")
        return settings.model_copy(update={"project": project})

    return write


def test_a_good_row_is_typed_placed_and_stamped(land, good, passed, settings):
    manifest = land(FEED, [good(FEED, dossier_id="H1", due_at="2025-08-05T23:30:00Z", fee_vnd="1500.1234567")])
    verdict = judge(manifest, settings=settings)

    assert (verdict.status, verdict.rows_landed, verdict.rows_passed, verdict.rows_quarantined) == ("passed", 1, 1, 0)
    assert verdict.quarantine_file is None
    assert pq.read_schema(verdict.passed_files[0]).equals(passed_schema(load_contract(FEED)))
    row = passed(verdict).to_pylist()[0]
    assert row["unit_id"] == "P34-66"
    assert row["partition_key"] == "2025-08"
    assert row["status_code"] == 9
    assert row["fee_vnd"] == Decimal("1500.123457")
    assert row["has_electronic_result"] is True
    assert row["updated_at"] == datetime(2025, 8, 4, 3, 0, 0, 123456, tzinfo=UTC)
    assert row["due_on"] == date(2025, 8, 6), "23:30 in UTC is the next morning in Việt Nam"
    assert (row["_source_id"], row["_batch_id"]) == ("portal", manifest.batch_id)
    assert row["_landed_at"] == manifest.finished_at


@pytest.mark.parametrize(
    ("feed", "column", "text"),
    [
        (FEED, "status_code", "chín"),
        (FEED, "status_code", "9.0"),
        (FEED, "status_code", "0x9"),
        (FEED, "status_code", "1_0"),
        (FEED, "status_code", "99999999999999999999"),
        (FEED, "fee_vnd", "15.000,5"),
        (FEED, "fee_vnd", "NaN"),
        (FEED, "fee_vnd", "1e60"),
        (FEED, "is_digitised", "Có"),
        (FEED, "is_digitised", "1"),
        (FEED, "finished_at", "2025-08-04T10:00:00"),  # no zone: no moment
        (FEED, "finished_at", "2025-08-04"),
        (FEED, "finished_at", "2025-13-04T10:00:00+07:00"),
        (FEED, "finished_at", "04/08/2025 10:00"),
        (FEED, "finished_at", "infinity"),
        (FEED, "finished_at", "0025-08-04T10:00:00+07:00"),
        ("staffing", "reported_on", "30/06/2025"),
        ("staffing", "reported_on", "2025-06-31"),
        ("staffing", "reported_on", "epoch"),
        (FEED, "agency_code", "H15\0.14"),
    ],
)
def test_a_text_that_is_not_of_its_type_is_named_with_value_column_and_row(feed, column, text, among_good, good, lines):
    row = good(feed, **{column: text})
    verdict = among_good(row, feed)
    (line,) = lines(verdict)
    assert line["rule"] == f"type:{column}"
    assert f"'{text}'".replace("\0", "␀") in line["reason"]
    assert line["reason"].endswith(f"[{row['source_row']}]")
    assert line["record"][column] == text.replace("\0", "␀")
    assert line["row_number"] == 9
    assert [r.failed_count for r in verdict.rules if r.rule == f"type:{column}"] == [1]


@pytest.mark.parametrize("text", ["5", "-3.25", "+1", ".5", "1e-3", "1.5E2"])
def test_ways_of_writing_a_number(text, land, good, passed, settings):
    table = passed(judge(land("declarations", [good("declarations", value=text.lstrip("-"))]), settings=settings))
    assert table["value"].to_pylist() == [Decimal(text.lstrip("-")).quantize(Decimal("0.000001"))]


def test_a_long_value_is_cut_in_the_reason_but_whole_in_the_record(among_good, good, lines):
    (line,) = lines(among_good(good(FEED, status_code="9" * 500)))
    assert f"'{'9' * 60}'" in line["reason"]
    assert line["record"]["status_code"] == "9" * 500


@pytest.mark.parametrize("column", ["dossier_id", "procedure_code", "status_code", "opened_at", "updated_at"])
@pytest.mark.parametrize("text", [None, ""])
def test_a_required_column_must_not_be_empty(column, text, among_good, good, lines):
    (line,) = lines(among_good(good(FEED, **{column: text})))
    assert line["rule"] == f"required:{column}"


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        ("Atlantis", "'Atlantis': no unit of the 34 provinces is written like this"),
        ("Ðắk Lắk", "U+00D0 LATIN CAPITAL LETTER ETH"),
        ("Phú Yên", "it is P63-54, which does not exist on the row's day"),
        (None, "unit: it is empty"),
    ],
)
def test_an_unknown_unit_is_quarantined_with_the_remedy(unit, told, among_good, good, lines):
    (line,) = lines(among_good(good(FEED, unit=unit)))
    assert line["rule"] == "unit"
    assert told in line["reason"]


def test_the_geography_changes_at_midnight_in_viet_nam(land, good, passed, settings):
    def opened(at, unit="Đắk Lắk"):
        return good(FEED, unit=unit, opened_at=at)

    moments = ["2025-06-30T23:59:59+07:00", "2025-07-01T00:00:00+07:00", "2025-06-30T17:00:00Z", "2025-06-30T16:59:59Z"]
    rows = [*(opened(at) for at in moments), opened("2025-03-01T08:00:00+07:00", "P34-66")]
    table = passed(judge(land(FEED, rows), settings=settings))
    assert table["unit_id"].to_pylist() == ["P63-66", "P34-66", "P34-66", "P63-66", "P34-66"]
    assert table["partition_key"].to_pylist() == ["2025-06", "2025-07", "2025-07", "2025-06", "2025-03"]


def test_a_row_that_breaks_several_rules_is_one_line_under_the_first_with_every_reason(among_good, good, lines):
    row = good(FEED, unit="Atlantis", status_code="77", fee_vnd="-5", channel_code="hai", updated_at=None)
    verdict = among_good(row)
    (line,) = lines(verdict)
    assert line["rule"] == "type:channel_code"
    told = [part.split(":")[0] + ":" + part.split(":")[1] for part in line["reason"].split("; ") if ": " in part]
    assert [t.split(": ")[0] for t in told][:2] == ["type:channel_code", "required:updated_at"]
    for rule in ("unit: 'Atlantis'", "status_known: ", "fee_not_negative: "):
        assert rule in line["reason"]
    assert line["key_text"] == f"unit_id = Atlantis, dossier_id = {row['dossier_id']}"
    assert (verdict.rows_landed, verdict.rows_passed, verdict.rows_quarantined) == (10, 9, 1)


def test_a_critical_rule_stops_the_batch_as_one_line(land, good, lines, settings):
    verdict = judge(
        land("service_catalogue", [good("service_catalogue", snapshot_on=d) for d in ("2025-08-09", "2025-08-10")]),
        settings=settings,
    )
    assert verdict.status == "stopped"
    assert (verdict.rows_landed, verdict.rows_passed, verdict.rows_quarantined) == (2, 0, 2)
    (line,) = lines(verdict)
    assert (line["row_number"], line["rule"], line["severity"]) == (-1, "one_snapshot", "critical")
    assert line["reason"] == verdict.stopped_reason
    assert not list(staging_folder(verdict.batch_id, settings).glob("passed-*"))


def test_a_critical_row_rule_stops_the_batch_whatever_passed_before(land, good, lines, rewritten):
    def harden(expectations):
        next(e for e in expectations if e["meta"]["rule"] == "fee_not_negative")["severity"] = "critical"

    hard = rewritten(FEED, harden)
    rows = [*(good(FEED) for _ in range(40)), good(FEED, fee_vnd="-7")]
    verdict = judge(land(FEED, rows, parts=3), settings=hard)
    assert (verdict.status, verdict.rows_passed, verdict.passed_files) == ("stopped", 0, [])
    assert "fee_not_negative: The fee is negative" in verdict.stopped_reason
    assert "'-7'" in verdict.stopped_reason
    assert len(lines(verdict)) == 1


@pytest.mark.parametrize(("bad", "status"), [(20, "passed"), (21, "stopped")])
def test_too_large_a_share_of_bad_rows_stops_the_batch(bad, status, land, good, lines, settings):
    rows = [*(good(FEED, fee_vnd="-1") for _ in range(bad)), *(good(FEED) for _ in range(100 - bad))]
    verdict = judge(land(FEED, rows, parts=2), settings=settings)
    assert verdict.status == status
    assert verdict.rows_quarantined == (bad if status == "passed" else 100)
    if status == "stopped":
        assert verdict.stopped_reason == "quarantine_share: 21 of 100 rows are bad, more than 20 %: fee_not_negative 21"
        assert [line["rule"] for line in lines(verdict)] == ["quarantine_share"]


@pytest.mark.parametrize(("bad", "status"), [(9, "passed"), (12, "passed"), (13, "stopped")])
def test_a_column_written_in_another_way_stops_the_batch(bad, status, land, good, lines, settings):
    odd = [good(FEED, finished_at="04.08.2025 10:00", due_at=None, status_code="4") for _ in range(bad)]
    even = [good(FEED) for _ in range(12)]
    open_ = [good(FEED, finished_at=None, status_code="4") for _ in range(100)]
    verdict = judge(land(FEED, [*odd, *even, *open_], parts=3), settings=settings)
    assert (verdict.status, verdict.rows_landed) == (status, 112 + bad)
    if status == "stopped":
        assert verdict.stopped_reason.startswith("retyped:finished_at: 13 of 25 values of finished_at cannot be read (")
        assert "'04.08.2025 10:00' is no moment with a zone" in verdict.stopped_reason
        assert verdict.stopped_reason.endswith("name the new writing under date_formats in its source file")
        assert [line["rule"] for line in lines(verdict)] == ["retyped:finished_at"]
        assert (verdict.rows_passed, verdict.passed_files) == (0, [])


def test_duplicates_count_towards_the_share_and_are_found_across_parts(land, good, settings):
    twins = [good(FEED, dossier_id="H-twin") for _ in range(3)]
    verdict = judge(land(FEED, [twins[0], *(good(FEED) for _ in range(8)), *twins[1:]], parts=3), settings=settings)
    assert verdict.stopped_reason.startswith("quarantine_share: 3 of 11 rows")


def test_a_row_in_quarantine_does_not_drag_its_twin_along(land, good, lines, passed, settings):
    spoiled, sound = good(FEED, dossier_id="H-twin", status_code="77"), good(FEED, dossier_id="H-twin")
    others = [good(FEED) for _ in range(8)]
    verdict = judge(land(FEED, [spoiled, *others, sound], parts=2), settings=settings)
    assert [line["rule"] for line in lines(verdict)] == ["status_known"]
    assert "H-twin" in passed(verdict)["dossier_id"].to_pylist()


def test_taking_rows_back_spares_their_neighbours(land, good, lines, passed, settings):
    rows = [good(FEED, dossier_id=f"H{i}") for i in range(40)]
    for i in (3, 11, 30):
        rows[i]["fee_vnd"] = "-1"
    rows[12]["dossier_id"] = rows[5]["dossier_id"] = "H-twin"
    verdict = judge(land(FEED, rows, parts=2), settings=settings)
    assert sorted(line["row_number"] for line in lines(verdict)) == [3, 5, 11, 12, 30]
    expected = [f"H{i}" for i in range(40) if i not in {3, 5, 11, 12, 30}]
    assert passed(verdict)["dossier_id"].to_pylist() == expected


def test_a_part_that_loses_all_its_rows_leaves_no_file(land, good, settings):
    rows = [*(good(FEED) for _ in range(10)), good(FEED, dossier_id="H-twin"), good(FEED, dossier_id="H-twin")]
    verdict = judge(land(FEED, rows, parts=6), settings=settings)
    files = sorted(str(p) for p in staging_folder(verdict.batch_id, settings).glob("*"))
    assert verdict.passed_files == [f for f in files if "passed-" in f]
    assert len(verdict.passed_files) == 5
    assert {f.rsplit("/", 1)[1] for f in files} - {f.rsplit("/", 1)[1] for f in verdict.passed_files} == {
        "quarantine.parquet",
        "verdict.json",
    }


def test_an_observation_is_recorded_and_moves_no_row(land, good, settings):
    verdict = judge(land(FEED, [good(FEED, due_at=None), good(FEED)]), settings=settings)
    assert (verdict.rows_passed, verdict.rows_quarantined) == (2, 0)
    (observed,) = [r for r in verdict.rules if not r.passed]
    assert (observed.rule, observed.severity, observed.checked_count, observed.failed_count) == (
        "due_time_known",
        "info",
        2,
        1,
    )
    assert "due_at = nothing" in observed.detail


def test_every_rule_reports_how_many_rows_it_judged(land, good, settings):
    rows = [good(FEED), good(FEED, channel_code=None), good(FEED, status_code="4", finished_at=None)]
    judged = {r.rule: r.checked_count for r in judge(land(FEED, rows, parts=2), settings=settings).rules}
    assert judged["status_known"] == 3
    assert judged["channel_known"] == 2
    assert judged["finished_has_time"] == 2, "rows whose condition does not hold are not judged"
    assert judged["finished_after_received"] == 2, "rows with a null are not judged"
    assert judged["key_unique"] == 3


def test_a_rule_that_cannot_be_computed_decides_nothing(land, good, settings, rewritten):
    def break_bound(expectations):
        rule = next(e for e in expectations if e["meta"]["rule"] == "procedure_code_format")
        rule["type"], rule["kwargs"] = (
            "expect_column_values_to_be_between",
            {"column": "procedure_code", "min_value": 1},
        )

    manifest = land(FEED, [good(FEED)])
    broken = rewritten(FEED, break_bound)
    judge(manifest, settings=settings)
    with pytest.raises(GateError, match="procedure_code_format: Great Expectations could not compute it"):
        judge(manifest, settings=broken)
    assert load_verdict(manifest.batch_id, settings=settings) is None, "the old verdict must not outlive the attempt"


def test_a_feed_is_never_loaded_unchecked(land, good, settings, tmp_path):
    bare = settings.model_copy(update={"project": tmp_path})
    (tmp_path / "include").symlink_to(settings.include_dir)
    with pytest.raises(ConfigError, match="no suite for this feed"):
        judge(land(FEED, [good(FEED)]), settings=bare)


def test_a_batch_that_is_not_what_landed_is_not_judged(land, good, settings):
    manifest = land(FEED, [good(FEED)])
    part = settings.landing_dir / FEED / "portal" / manifest.batch_id / "part-00000.parquet"
    part.write_bytes(part.read_bytes() + b" ")
    with pytest.raises(DtiError, match=r"part-00000\.parquet"):
        judge(manifest, settings=settings)


def test_a_manifest_that_miscounts_is_not_judged(land, good, settings):
    manifest = land(FEED, [good(FEED), good(FEED)])
    with pytest.raises(GateError, match="its parts hold 2 rows, its manifest says 3"):
        judge(manifest.model_copy(update={"rows": 3}), settings=settings)


def test_what_a_killed_process_left_is_made_anew(land, good, passed, settings):
    manifest = land(FEED, [good(FEED), good(FEED)])
    first = judge(manifest, settings=settings)
    folder = staging_folder(manifest.batch_id, settings)
    (folder / "verdict.json").unlink()
    (folder / "passed-00007.parquet").write_bytes(b"half a file")
    assert load_verdict(manifest.batch_id, settings=settings) is None

    again = judge(manifest, settings=settings)
    assert again == first
    assert load_verdict(manifest.batch_id, settings=settings) == first
    assert sorted(p.name for p in folder.iterdir()) == ["passed-00000.parquet", "verdict.json"]
    assert passed(again).num_rows == 2


def test_a_column_the_contract_gained_later_is_empty(land, good, passed, settings):
    row = good(FEED)
    manifest = land(FEED, [row])
    part = settings.landing_dir / FEED / "portal" / manifest.batch_id / "part-00000.parquet"
    shorter = pq.read_table(part).drop_columns(["is_satisfied", "channel_code"])
    again = land(FEED, shorter.to_pylist(), columns=shorter.column_names)
    assert passed(judge(again, settings=settings))["channel_code"].to_pylist() == [None]


def test_no_row_may_go_missing_in_a_verdict(land, good, settings):
    verdict = judge(land(FEED, [good(FEED)]), settings=settings)
    with pytest.raises(ValueError, match="rows_landed must be rows_passed"):
        verdict.model_validate(verdict.model_dump() | {"rows_passed": 0})


SPOIL = st.sampled_from([
    {},
    {},
    {},
    {"status_code": "77"},
    {"status_code": "x"},
    {"fee_vnd": "-1"},
    {"unit": "Atlantis"},
    {"opened_at": None},
    {"opened_at": "gestern", "unit": None},
    {"finished_at": None},
    {"channel_code": "9", "procedure_code": "?"},
])  # fmt: skip


@hypothesis(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoils=st.lists(SPOIL, max_size=30), twins=st.sets(st.integers(0, 29), max_size=4), parts=st.integers(1, 3))
def test_every_row_is_accounted_for(spoils, twins, parts, land, good, lines, passed, settings):
    rows = [good(FEED, **spoil) for spoil in spoils]
    twins = {i for i in twins if i < len(rows)}
    for i in twins:
        rows[i]["dossier_id"] = "H-twin"
    sound_twins = {i for i in twins if not spoils[i]}
    bad = {i for i, spoil in enumerate(spoils) if spoil} | (sound_twins if len(sound_twins) > 1 else set())

    verdict = judge(land(FEED, rows, parts=parts), settings=settings)

    assert verdict.rows_landed == len(rows) == verdict.rows_passed + verdict.rows_quarantined
    if len(bad) * 100 > 20 * len(rows):
        assert verdict.status == "stopped"
        assert (verdict.rows_passed, len(lines(verdict))) == (0, 1)
        return
    assert verdict.status == "passed", verdict.stopped_reason
    table = passed(verdict)
    kept = [] if table is None else table["dossier_id"].to_pylist()
    assert kept == [row["dossier_id"] for i, row in enumerate(rows) if i not in bad], "good rows, all, in order"
    assert sorted(line["row_number"] for line in lines(verdict)) == sorted(bad)
    assert [line["record"]["source_row"] for line in lines(verdict)] == [
        rows[line["row_number"]]["source_row"] for line in lines(verdict)
    ]


@pytest.mark.parametrize(("policy", "stops"), [("stop", True), ("quarantine", False)])
def test_a_column_may_go_to_quarantine_value_by_value(policy, stops, land, good, settings):
    document = load_contract(FEED).model_dump()
    document["columns"]["finished_at"]["drift"]["retyped_field"] = policy
    manifest = land(FEED, [good(FEED) for _ in range(20)], parts=2)
    found = retyped(
        Contract.model_validate(document), {"finished_at": (11, ["'x' [page 1]"])}, part_paths(manifest, settings)
    )
    assert [rule for rule, _ in found] == ["retyped:finished_at"] * stops
    assert all(reason.startswith("11 of 20 values of finished_at cannot be read ('x' [page 1])") for _, reason in found)
