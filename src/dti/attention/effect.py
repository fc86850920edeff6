"""What hangs on a source: which pillars, indicators and units of the newest nightly run, and how many points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from dti.attention.model import Effect
from dti.explain.model import Words
from dti.gate.units import load_units
from dti.settings import Settings

Row = RowMapping
STATED = "declarations"
NAMED_UNITS, NAMED_INDICATORS = 3, 8
_RUN = """
    select r.run_id, r.framework_id, r.framework_hash, r.geography, f.max_points
    from marts.latest_run as r
    inner join method.framework as f on r.framework_id = f.framework_id and r.framework_hash = f.framework_hash
"""
_HELD = """
    select distinct s.source_id, n.unit_id, u.name_vi as unit_name, i.indicator_code, i.pillar_code, i.position,
        i.max_points
    from score.metric_value as v
    cross join lateral unnest(v.source_ids) as s (source_id)
    inner join score.indicator_input as n
        on v.run_id = n.run_id and v.unit_id = n.unit_id and v.metric = n.metric and v.feed = n.feed
            and v.basis = n.basis
    inner join score.indicator_score as known
        on n.run_id = known.run_id and n.unit_id = known.unit_id and n.indicator_code = known.indicator_code
            and known.status <> 'missing'
    inner join method.indicator as i
        on i.framework_id = :framework_id and i.framework_hash = :framework_hash
            and i.indicator_code = n.indicator_code
    inner join ref.unit as u on n.unit_id = u.unit_id
    where v.run_id = :run_id and s.source_id = any(:sources)
"""
_MISSING = """
    select i.feed, s.unit_id, u.name_vi as unit_name, i.indicator_code, i.pillar_code, i.position, i.max_points
    from score.indicator_score as s
    inner join method.indicator as i
        on i.framework_id = :framework_id and i.framework_hash = :framework_hash
            and i.indicator_code = s.indicator_code
    inner join ref.unit as u on s.unit_id = u.unit_id
    where s.run_id = :run_id and s.status = 'missing' and i.feed = any(:feeds)
"""
_FEEDS = """
    select feed, array_agg(indicator_code order by position) as indicators, array_agg(distinct pillar_code) as pillars
    from method.indicator
    where framework_id = :framework_id and framework_hash = :framework_hash
    group by feed
"""


@dataclass(frozen=True)
class Asked:
    """A source whose effect is wanted. ``fixed`` is the unit its description names, where it names one."""

    source_id: str
    feed: str
    fixed: str | None = None


def effects_of(connection: Connection, sources: Iterable[Asked], settings: Settings) -> dict[str, Effect]:
    """The effect of each source on the newest nightly run, by source id; of what is not counted it says so."""
    asked = list(sources)
    run = connection.execute(text(_RUN)).mappings().one_or_none()
    if run is None:
        return {source.source_id: _no_run() for source in asked}
    held, missing = defaultdict(list), defaultdict(list)
    given = {name: run[name] for name in ("run_id", "framework_id", "framework_hash")}
    for row in connection.execute(text(_HELD), given | {"sources": [s.source_id for s in asked]}).mappings():
        held[row["source_id"]].append(row)
    for row in connection.execute(text(_MISSING), given | {"feeds": [s.feed for s in asked]}).mappings():
        missing[row["feed"]].append(row)
    feeds = {row["feed"]: row for row in connection.execute(text(_FEEDS), _without(given, "run_id")).mappings()}
    units = load_units(settings)
    found = {}
    for source in asked:
        if rows := held[source.source_id]:
            found[source.source_id] = _counted("held", rows, run)
            continue
        unit_id = units.resolve(source.fixed, run["geography"]) if source.fixed else None
        own = [row for row in missing[source.feed] if row["unit_id"] == unit_id]
        if own:
            found[source.source_id] = _counted("missing", own, run)
        else:
            found[source.source_id] = _nothing_held(source, unit_id, feeds.get(source.feed), run)
    return found


def no_effect(words: Words) -> Effect:
    """An effect that is words alone."""
    return Effect(state="unknown", words=words)


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _no_run() -> Effect:
    return no_effect(Words(vi="Chưa rõ: chưa tính chỉ số đêm nào.", en="Unknown: no night's index was computed yet."))


def _counted(state: Any, rows: Sequence[Row], run: Row) -> Effect:
    """An effect that was counted in ``rows``: one a unit and indicator."""
    points: dict[str, Any] = defaultdict(int)
    for row in rows:
        points[row["unit_id"]] += row["max_points"]
    units = {row["unit_id"]: row["unit_name"] for row in sorted(rows, key=lambda row: row["unit_id"])}
    ordered = sorted(rows, key=lambda row: row["position"])
    indicators = list(dict.fromkeys(row["indicator_code"] for row in ordered))
    pillars = list(dict.fromkeys(row["pillar_code"] for row in ordered))
    most, of = max(points.values()), run["max_points"]
    upto = Words(vi="tối đa ", en="up to ") if len(set(points.values())) > 1 else Words(vi="", en="")
    who = _named(list(units.values()))
    listed = f"{', '.join(pillars)} ({_short(indicators)})"
    if state == "held":
        words = Words(
            vi=f"{len(indicators)} chỉ số thuộc {listed} của {who.vi} đang dựa trên số liệu giao lần cuối: "
            f"{upto.vi}{most:g}/{of:g} điểm, không đổi cho tới khi có số liệu mới.",
            en=f"{len(indicators)} indicators of {listed} for {who.en} stand on what was last delivered: "
            f"{upto.en}{most:g} of {of:g} points, which stay as they are until it delivers.",
        )
    else:
        words = Words(
            vi=f"{len(indicators)} chỉ số thuộc {listed} của {who.vi} chưa có số liệu: {upto.vi}{most:g}/{of:g} điểm "
            "không được tính (0 điểm) và làm giảm độ phủ.",
            en=f"{len(indicators)} indicators of {listed} for {who.en} are not known: {upto.en}{most:g} of {of:g} "
            "points score 0 and are missing from its coverage.",
        )
    return Effect(
        state=state,
        words=words,
        run_id=run["run_id"],
        pillars=pillars,
        indicators=indicators,
        units=list(units),
        points=float(most),
        max_points=float(of),
    )


def _nothing_held(source: Asked, unit_id: str | None, feed: Row | None, run: Row) -> Effect:
    """Nothing in the run stands on the source, and nothing that is missing can be put down to it."""
    if source.feed == STATED:
        words = Words(
            vi="Chưa có số liệu nào trong chỉ số lấy từ nguồn này; nó có thể kê khai bất kỳ chỉ số nào còn thiếu.",
            en="No figure of the index comes from it so far; it could state any that is missing.",
        )
        return Effect(state="unknown", words=words, run_id=run["run_id"])
    if feed is None:
        words = Words(
            vi=f"Không chỉ số nào của {run['framework_id']} lấy số liệu trực tiếp từ {source.feed}.",
            en=f"No indicator of {run['framework_id']} takes its values from {source.feed} directly.",
        )
        return Effect(state="none", words=words, run_id=run["run_id"])
    if unit_id is not None:
        words = Words(
            vi="Các chỉ số của đơn vị này đã có số liệu từ nguồn khác; chưa có gì lấy từ nguồn này.",
            en="What it reports on is known from other sources; nothing in the index stands on it.",
        )
        return Effect(state="none", words=words, run_id=run["run_id"])
    codes, pillars = list(feed["indicators"]), sorted(feed["pillars"])
    words = Words(
        vi=f"Chưa rõ đơn vị nào: nguồn chưa giao số liệu nào đang được tính. Có thể liên quan {len(codes)} chỉ số "
        f"thuộc {', '.join(pillars)} ({_short(codes)}).",
        en=f"Unknown for which units: nothing it delivered counts so far. It may concern {len(codes)} indicators of "
        f"{', '.join(pillars)} ({_short(codes)}).",
    )
    return Effect(state="unknown", words=words, run_id=run["run_id"], pillars=pillars, indicators=codes)


def _named(names: Sequence[str]) -> Words:
    if len(names) <= NAMED_UNITS:
        return Words(vi=", ".join(names), en=", ".join(names))
    first = ", ".join(names[:NAMED_UNITS])
    return Words(vi=f"{len(names)} đơn vị ({first}, …)", en=f"{len(names)} units ({first}, …)")


def _short(codes: Sequence[str]) -> str:
    return ", ".join(codes) if len(codes) <= NAMED_INDICATORS else f"{', '.join(codes[:NAMED_INDICATORS])}, …"
