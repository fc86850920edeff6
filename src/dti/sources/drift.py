"""Schema drift: what a source sends is held against what its file describes and what it sent before.

The policy is the feed's (``drift`` in ``include/feeds/<feed>.yml``), or the column's own. Only names and counts are
looked at and told, never a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from dti.errors import SourceChanged
from dti.sources.difference import Missing, difference, quoted
from dti.sources.model import HttpConnector, Source, TabularConnector
from dti.sources.pull import MAX_UNMAPPED, PullStats
from dti.sources.rename import renamed
from dti.sources.shape import Shape

# So unlikely must it be that none of a pull's records has a field by chance, given how often it was there before.
CHANCE = 1e-6
CLEAN = 0.99  # of a column's values were text before
ENOUGH = 10  # values, to say what a column was before


class Counted(Protocol):
    """What is kept of a pull: a manifest has it, and so have the stats of a pull."""

    @property
    def records_count(self) -> int: ...
    @property
    def field_counts(self) -> dict[str, int]: ...
    @property
    def value_kinds(self) -> dict[str, dict[str, int]]: ...
    @property
    def unmapped_fields(self) -> Iterable[str]: ...


@dataclass(frozen=True)
class History:
    """What the newest landed pulls of a source held, added up."""

    records_count: int = 0
    field_counts: Counter[str] = field(default_factory=Counter)
    value_kinds: dict[str, Counter[str]] = field(default_factory=dict)
    unmapped_fields: frozenset[str] = frozenset()


def judge(source: Source, shape: Shape, stats: PullStats, history: History) -> None:
    """Note in ``stats`` what has changed, and raise SourceChanged where the policy says that it stops the source."""
    shape.tell(stats)
    where = place_of(source, stats)
    new = _new_fields(stats, history)
    if gone := _gone(source, shape, history, new):
        raise difference(source, shape, gone, new, stats.unmapped_fields, where)
    for ours in sorted(shape.missing()):
        if not isinstance(source.connector, TabularConnector) and not shape.carried_anywhere(ours):
            stats.warn(f"no record has {shape.places[ours]!r} ({ours})")
    _hold_kinds(source, stats, history, where)
    if new:
        if source.contract.drift.new_field == "stop":
            remedy = "map what is wanted under fields; to let the rest pass set drift.new_field: record in the feed"
            raise SourceChanged(f"new field(s): {quoted(new)}", where=where, remedy=remedy)
        stats.warn(f"new field(s), put on record and not read: {quoted(new)}")


def place_of(source: Source, stats: PullStats) -> str:
    """Source and address or file, as they stand in messages."""
    if isinstance(source.connector, HttpConnector):
        from dti.sources.http import shown

        return f"{source.source}: {shown(source.connector.address)}"
    return ": ".join([source.source, *stats.source_files])


def _new_fields(stats: PullStats, history: History) -> list[str]:
    """Fields that nobody asked for and no earlier pull had; none as long as there is no earlier pull."""
    if not history.records_count or len(history.unmapped_fields) >= MAX_UNMAPPED:
        return []
    return sorted(stats.unmapped_fields - history.unmapped_fields)


def _gone(source: Source, shape: Shape, history: History, new: list[str]) -> list[Missing]:
    """The missing fields that stop the source: needed ones; and others whose absence is no chance or has an heir."""
    contract, found = source.contract, []
    heirs = renamed({place: [place] for place in (shape.places[ours] for ours in shape.missing())}, new)
    for ours, parts in sorted(shape.missing().items()):
        if contract.drift_of(ours).missing_field == "empty":
            continue
        before = history.field_counts[ours]
        needed = shape.needs(ours)
        whole = not shape.carried_anywhere(ours)
        if needed or (
            whole and before and (shape.places[ours] in heirs or _is_no_chance(source, shape, ours, history))
        ):
            share = before / history.records_count if history.records_count else None
            found.append(Missing(ours, shape.places[ours], needed, share, sorted(parts - {""})))
    return found


def _is_no_chance(source: Source, shape: Shape, ours: str, history: History) -> bool:
    """Whether a field that some records may lack is gone from all of them for another reason than chance."""
    if isinstance(source.connector, TabularConnector):
        return True  # a table has a column or has none
    share = history.field_counts[ours] / (history.records_count + 1)
    return bool((1 - share) ** shape.lacking_anywhere(ours) < CHANCE)


def _hold_kinds(source: Source, stats: PullStats, history: History, where: str) -> None:
    """Raise SourceChanged for a column of text whose values have become objects, or numbers where they were text.

    Both can be written as text, and would be: codes without their zeros, keys that match nothing.
    """
    for ours, kinds in sorted(stats.value_kinds.items()):
        policy = source.contract.drift_of(ours)
        total, before = sum(kinds.values()), history.value_kinds.get(ours, Counter())
        was_text = before.total() >= ENOUGH and before["text"] >= CLEAN * before.total()
        odd = Counter({k: n for k, n in kinds.items() if k in {"object", "list"} or (k != "text" and was_text)})
        if odd.total() * 100 <= policy.retyped_pct * total:
            continue
        kind = odd.most_common(1)[0][0]
        place = source.fields.get(ours, "")
        what = f"{place!r} ({ours}) is text, and {odd.total():,} of {total:,} values are now of type {kind}"
        if policy.retyped_field == "quarantine":
            stats.warn(what)
            continue
        remedy = (
            f"map the text within it, such as fields: {{{ours}: {place}.<name>}}"
            if kind in {"object", "list"}
            else "ask the agency to send text again: written as a number a code loses its zeros"
        )
        remedy += f"; to land it all the same set drift.retyped_field: quarantine for {ours} in the feed"
        raise SourceChanged(what, where=where, remedy=remedy)


def added_up(pulls: Iterable[Counted]) -> History:
    """The history that these pulls make."""
    records, fields, kinds, unmapped = 0, Counter[str](), dict[str, Counter[str]](), set[str]()
    for pull in pulls:
        records += pull.records_count
        fields.update(pull.field_counts)
        unmapped.update(pull.unmapped_fields)
        for ours, found in pull.value_kinds.items():
            kinds.setdefault(ours, Counter()).update(found)
    return History(records, fields, kinds, frozenset(unmapped))
