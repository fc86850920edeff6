"""Every fault of a source, through the way a night takes: what is asked again, what lands, what the operator reads."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import trustme
import yaml
from pydantic import SecretStr

from dti.landing import ledger
from dti.settings import Settings
from dti.sources.model import Source
from dti.sources.spec import parse_source
from tests.builders.misbehaving import misbehaving
from tests.unit.sources.agency import CREDENTIALS, DOSSIERS, NIGHT, Agency
from tests.unit.sources.fault_rows import PATIENCE, SourceFault, portal_of, records
from tests.unit.sources.fault_table import FAULTS, printed, table

CENTRE = {
    "source": "dossiers",
    "feed": "data_centre",
    "agency": "Trung tâm thử nghiệm",
    "owner": "test@example.vn",
    "licence": "test",
    "unit": {"fixed": "P34-66"},
    "fields": {"data_centre_id": "job"},
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, ssl.SSLContext], Path]:
    """Contexts of servers with a good, an expired and another host's certificate, and the authority behind them."""
    authority = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "authority.pem"
    authority.cert_pem.write_to_path(path)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    issued = {
        "good": authority.issue_cert("127.0.0.1"),
        "expired": authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday),
        "other": authority.issue_cert("portal.example.vn"),
    }
    contexts = {}
    for name, certificate in issued.items():
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(contexts[name])
    return contexts, path


@pytest.fixture
def here(settings: Settings) -> Settings:
    return settings.model_copy(update={"pseudonym_key": SecretStr("a long enough test key")})


def source_of(fault: SourceFault, root: str, ca_file: Path | None) -> Source:
    """The source file that an operator would have written for this server."""
    connector = PATIENCE | dict(fault.connector)
    if fault.feed == "data_centre":
        del connector["paging"]
        queries = [{"measure": "up_share", "promql": "avg(up)"}]
        document = CENTRE | {
            "connector": connector | {"type": "prometheus", "address": "ROOT", "queries": queries, "step_seconds": 3600}
        }
    else:
        connector |= {"type": "rest", "address": "ROOT/dossiers"}
        if connector["paging"]["style"] == "keyset":
            connector["change_time"] = {"since_param": "since", "field": "CapNhat"}
        document = DOSSIERS | {"connector": connector}
    if ca_file is not None:
        document["connector"]["ca_file"] = str(ca_file)
    if fault.connection:
        document = document | {"connection": "agency"}
    return parse_source(yaml.safe_dump(document).replace("ROOT", root), "dossiers.yml", {})


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_of_a_source(
    here: Settings, certificates: tuple[dict[str, ssl.SSLContext], Path], fault: SourceFault
) -> None:
    contexts, authority = certificates
    portal = portal_of(Agency(records()))
    tls = contexts[fault.tls] if fault.tls else None
    night = NIGHT if fault.feed == "online_services" else date(2026, 3, 1)
    with misbehaving(lambda n, q: fault.does(n, q, portal), tls=tls, hang_ups=fault.hang_ups) as server:
        source = source_of(fault, server.root, authority if tls and fault.ca_file else None)
        began = time.monotonic()
        caught = None
        try:
            ledger.extract_night(source, night, lambda _: CREDENTIALS, settings=here)
        except Exception as error:  # noqa: BLE001 - its type is what is asserted
            caught = error
        took = time.monotonic() - began
    (manifest,) = ledger.manifests(here)
    assert type(caught) is (fault.kind or type(None)), caught
    assert took < 5 * fault.seconds, "every wait has an end, also on a machine with other work"
    assert (manifest.requests_count, manifest.retries_count) == (fault.requests, fault.retries)
    if fault.kind is None:
        assert (manifest.outcome, manifest.rows, manifest.fault) == ("landed", fault.rows, None)
        rows = [row for path in ledger.part_paths(manifest, here) for row in pq.read_table(path).to_pylist()]
        assert len({row.get("dossier_id") or row["sampled_at"] for row in rows}) == len(rows) == fault.rows
        assert {row["status_code"] for row in rows if "status_code" in row} <= {"4"}, "the newest state"
        assert manifest.warnings == ([fault.reads] if fault.reads else [])
    else:
        assert (manifest.outcome, manifest.rows, manifest.parts) == ("failed", 0, [])
        assert manifest.fault is not None
        assert manifest.fault.kind == fault.kind.kind
        assert f"{manifest.fault.what} — {manifest.fault.remedy}" == fault.reads
        assert manifest.fault.where.startswith(f"dossiers: {server.root}/")
        assert "?" not in manifest.fault.where


def test_the_documents_table_is_this_one() -> None:
    assert printed() == table(), "write it anew: uv run python -m tests.unit.sources.fault_table"


def test_every_fault_has_an_id_of_its_own() -> None:
    assert len({fault.id for fault in FAULTS}) == len(FAULTS)
