"""Who could give what is missing, and what a person should do about it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Connection, column, exists, select, table

from dti.errors import ConfigError
from dti.explain.evidence import STATED, known_feed, sources_of
from dti.explain.find import geographies
from dti.explain.model import Part, Provider, RunOf, Words
from dti.explain.store import rows
from dti.gate.units import UnitDirectory, load_units
from dti.settings import Settings
from dti.sources.spec import load_source_file, source_files


def providers_of(
    connection: Connection, missing: Sequence[Part], unit_ids: Sequence[str], settings: Settings
) -> list[Provider]:
    """Sources of the missing parts' feeds that speak for this unit, and of declarations, which may state anything.

    Those that reported the unit before come first. A source that is fixed to another unit is left out.
    """
    if not missing:
        return []
    feeds = dict.fromkeys([*(part.feed for part in missing if known_feed(part.feed, settings)), STATED])
    others = _fixed_to_others(unit_ids, settings)
    found = []
    for feed in feeds:
        enabled = rows(
            connection, "select source_id from ops.source where feed = :feed and enabled order by 1", feed=feed
        )
        ids = [row["source_id"] for row in enabled if row["source_id"] not in others]
        before = _reported(connection, feed, ids, unit_ids)
        for source_id, row in sources_of(connection, ids).items():
            found.append(
                Provider(
                    source_id=source_id,
                    feed=feed,
                    agency=row["agency"],
                    freshness=row["freshness"] or "unknown",
                    detail=row["detail"],
                    reported_before=source_id in before,
                )
            )
    own = {provider.feed for provider in found if provider.reported_before}
    likely = [p for p in found if p.reported_before or p.feed not in own]
    return sorted(likely, key=lambda p: (list(feeds).index(p.feed), not p.reported_before, p.source_id))


def remedy_words(status: str, missing: Sequence[Part], providers: Sequence[Provider], run: RunOf) -> Words | None:
    """What a person should do about a missing or undefined indicator; None for a scored one."""
    if status == "undefined":
        return Words(
            vi="Kiểm tra với cơ quan cung cấp: nếu mẫu số thật sự bằng 0 thì không cần làm gì; nếu không, sửa ở nguồn",
            en="Check with the agency: if there was nothing to divide by, nothing needs doing; else mend it there",
        )
    if status != "missing":
        return None
    metrics = ", ".join(part.metric for part in missing)
    named = Words(vi=" và ".join(p.name.vi for p in missing), en=" and ".join(p.name.en for p in missing))
    who = "; ".join(f"{p.source_id} ({p.agency})" for p in providers)
    if not who:
        return Words(
            vi=f"Chưa nguồn nào cung cấp {named.vi} cho đơn vị này: thêm nguồn vào include/sources.",
            en=f"No source gives {named.en} for this unit: add one to include/sources.",
        )
    stated = f"{STATED}, period_year {run.year}, metric {metrics}"
    return Words(
        vi=f"Đề nghị cung cấp {named.vi} năm {run.year}: {who}. Số liệu kê khai: {stated}.",
        en=f"Ask for {named.en}, {run.year}: {who}. As a stated figure: feed {stated}.",
    )


def _fixed_to_others(unit_ids: Sequence[str], settings: Settings) -> set[str]:
    """Sources whose description fixes them to a unit that is none of these."""
    directory = load_units(settings)
    found = set()
    for path in source_files(settings.include_dir / "sources"):
        with suppress(ConfigError):  # a description that cannot be read is what ``dti source check`` tells
            source = load_source_file(path)
            if source.unit.fixed and not _meant(source.unit.fixed, directory) & set(unit_ids):
                found.add(source.source)
    return found


def _meant(text: str, directory: UnitDirectory) -> set[str | None]:
    return {directory.resolve(text, geography) for geography in geographies(directory)}


def _reported(connection: Connection, feed: str, ids: Sequence[str], unit_ids: Sequence[str]) -> set[str]:
    """Which of these sources have a fact of the unit, of any day."""
    facts = table(feed, column("unit_id"), column("source_id"), schema="facts")
    found = set()
    for source_id in ids:
        reported = exists().where(
            facts.c.unit_id.in_(unit_ids),
            facts.c.source_id == source_id,
        )
        if connection.execute(select(reported)).scalar():
            found.add(source_id)
    return found
