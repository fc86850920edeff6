"""What the sandbox's seven national agencies show on each night of a year, as rows to land, without a portal.

Records of the small lists go through the library's own mapping once and are kept. Dossiers are written column by
column from the sandbox's arrays: the text is the one that portal and mapping would give, at a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from dti.clock import day_end, day_start
from dti.sources.conform import clean
from dti.sources.mapping import OWN, Mapper, Row
from dti.sources.newest import newest
from dti.sources.personal import pseudonym
from dti.sources.pull import PullStats, Record
from dti.sources.spec import Source
from dti.sources.window import Window
from sandbox.portals.agencies import NATIONAL, OWN_SYSTEMS, World
from sandbox.portals.catalogue import catalogue
from sandbox.portals.declarations import declaration_list
from sandbox.portals.dossiers import FLAW_SHARE, FLAWS, STRANGERS
from sandbox.portals.inventory import inventory_list
from sandbox.portals.monitor import evaluate, understand
from sandbox.portals.office_sheets import staffing_table, teams_table
from sandbox.world import people
from sandbox.world.lifecycle import DOSSIERS_PER_DAY, LIFE_DAYS, NEVER, STATUS, Event, Shard, make_shard
from sandbox.world.procedures import code_in, procedures
from sandbox.world.times import DAY, OFFSET, day_of, last_report_day, midnight, month_start, next_month
from sandbox.world.units import spelling, units

SOURCES = (
    "dvc-quoc-gia", "tthc-quoc-gia", "kiem-ke-quoc-gia", "khai-bao-quoc-gia", "prometheus-quoc-gia", "bo-noi-vu",
    "to-cnscd-quoc-gia",
)  # fmt: skip
"""The national sources, one a feed; here they speak for all 63 provinces, as in a replay."""
FEEDS = (
    "online_services", "service_catalogue", "platform_inventory", "declarations", "data_centre", "staffing",
    "community_teams",
)  # fmt: skip
KEY = b"benchmark"
Landed = dict[str, str | None]


def everyone() -> None:
    """Give no province a system of its own, so that the national sources cover all of them."""
    for feed in OWN_SYSTEMS:
        OWN_SYSTEMS[feed] = ()


class Country:
    """The made-up country with about ``dossiers`` dossiers opened in the year; ``lookback`` is in days, 1 for its own.

    A real night reads the dossiers that changed in the 45 days before it; ``lookback`` says how many are read here.
    """

    def __init__(self, year: int, dossiers: int, lookback: int = 1, seed: int = 922) -> None:
        yearly = DOSSIERS_PER_DAY * 1.08 ** (year - 2026) * 365
        self.world = World(seed, dossiers / yearly)
        self.lookback = lookback
        self._kept: dict[tuple[str, object], list[Row]] = {}

    def read(self, source: Source, window: Window, *_: object) -> Iterator[Landed]:
        """The rows that ``source`` shows at the end of the window's night; stands in for ``dti.sources.read.read``."""
        night = window.night
        columns = source.contract.landed_columns
        if source.feed == "online_services":
            yield from self._dossiers(night)
            return
        for row in _LISTS[source.feed](self, source, night):
            yield dict(zip(columns, row, strict=True))

    def has_news(self, source: Source, night: date) -> bool:
        """Whether anything came since the night before. Only lists that stand for days of their own can be without."""
        if source.feed in ("staffing", "community_teams"):
            return last_report_day(_at(night)) != last_report_day(_at(night - timedelta(days=1)))
        if source.feed != "declarations":
            return True
        return len(list(self._declarations(source, night))) > len(
            list(self._declarations(source, night - timedelta(days=1)))
        )

    def _mapped(
        self, source: Source, key: object, night: date, records: Callable[[], Iterator[tuple[dict, str]]]
    ) -> list[Row]:
        """Rows of a list, mapped once for each ``key``."""
        kept = (source.feed, key)
        if kept not in self._kept:
            stats = PullStats()
            mapper = Mapper(source, night, KEY, stats)
            readings = ((mapper.row(Record(value, place)), 0) for value, place in records())
            self._kept[kept] = list(newest(readings, source.contract, stats))
        return self._kept[kept]

    def _catalogue(self, source: Source, night: date) -> Iterator[Row]:
        """The procedures; levels change with the month, so a month's list is made once and stamped with each night."""
        listed = self._mapped(
            source, month_start(night), night, lambda: _placed(catalogue(self.world, NATIONAL, _at(night)))
        )
        return _stamped(listed, source, night)

    def _inventory(self, source: Source, night: date) -> Iterator[Row]:
        """The inventory as on the first of the month, stamped with each night."""
        first = month_start(night)
        listed = self._mapped(source, first, night, lambda: _placed(inventory_list(self.world, NATIONAL, first)))
        return _stamped(listed, source, night)

    def _declarations(self, source: Source, night: date) -> Iterator[Row]:
        """All that was stated by then: the year's last list, as far as it had come."""
        year_end = date(night.year, 12, 31)
        listed = self._mapped(source, night.year, night, lambda: _placed(declaration_list(self.world, year_end)))
        at, today = source.contract.landed_columns.index("stated_on"), night.isoformat()
        return (row for row in listed if (row[at] or "") <= today)

    def _sheets(self, source: Source, night: date) -> Iterator[Row]:
        """The two newest monthly files, as they lie in the folder."""
        table = {"staffing": staffing_table, "community_teams": teams_table}[source.feed]
        for months_ago in (0, 1):
            day = last_report_day(_at(night), months_ago)
            yield from self._mapped(
                source, day, night, lambda day=day: _placed(table(self.world, NATIONAL, day).records())
            )

    def _samples(self, source: Source, night: date) -> Iterator[Row]:
        """Samples of the window that the contract asks for: the night and the days it reads again."""
        step = source.connector.step_seconds
        back = timedelta(days=source.contract.lookback_days)
        first, last = (int(day_start(night).timestamp() - back.total_seconds()), int(day_end(night).timestamp()) - 1)
        first = -(-first // step) * step

        def records() -> Iterator[tuple[dict, str]]:
            for asked in source.connector.queries:
                query = understand(asked.promql)
                for series in evaluate(self.world, NATIONAL, query, first, last, step, last):
                    for moment, value in zip(series.moments.tolist(), series.values, strict=True):
                        if value != "NaN":
                            own = {"measure": asked.measure, "value": float(value), "step_seconds": step}
                            own["sampled_at"] = day_start(date(1970, 1, 1)) + timedelta(seconds=moment + OFFSET)
                            yield series.labels | {OWN + name: each for name, each in own.items()}, asked.measure

        stats = PullStats()
        mapper = Mapper(source, night, KEY, stats)
        readings = ((mapper.row(Record(value, place)), 0) for value, place in records())
        return newest(readings, source.contract, stats)

    def _dossiers(self, night: date) -> Iterator[Landed]:
        """Dossiers whose newest change fell into the last ``lookback`` days, as they stand at the night's end."""
        until = midnight(night + timedelta(days=1))
        since = until - self.lookback * DAY
        month, place = month_start(night - timedelta(days=LIFE_DAYS + self.lookback)), 0
        while month <= night:
            for number in range(len(units("63"))):
                shard = _shard(self.world, number, month)
                seen = shard.updated(until - 1)
                for row in _written(
                    self.world.seed, shard, np.flatnonzero((seen >= since) & (seen < until)), until - 1
                ):
                    place += 1
                    row["source_row"] = f"page {place // 500 + 1}, record {place % 500 + 1}"
                    yield row
            month = next_month(month)


def _at(night: date) -> int:
    """The moment of the night's pull: two in the morning after it."""
    return midnight(night + timedelta(days=1)) + 2 * 3600


def _placed(records: list[tuple[dict, str | None]]) -> Iterator[tuple[dict, str]]:
    return ((record, f"record {number}") for number, (record, _) in enumerate(records, 1))


def _stamped(listed: list[Row], source: Source, night: date) -> Iterator[Row]:
    at, today = source.contract.landed_columns.index("snapshot_on"), night.isoformat()
    return ((*row[:at], today, *row[at + 1 :]) for row in listed)


_LISTS = {
    "service_catalogue": Country._catalogue,
    "platform_inventory": Country._inventory,
    "declarations": Country._declarations,
    "staffing": Country._sheets,
    "community_teams": Country._sheets,
    "data_centre": Country._samples,
}


@lru_cache(maxsize=63 * 6)
def _shard(world: World, number: int, month: date) -> Shard:
    return make_shard(world.seed, units("63")[number], month, world.scale)


def _texts(moments: np.ndarray) -> list[str | None]:
    """Moments as landed text in Việt Nam's time; None for what has not happened."""
    known = moments < NEVER
    texts = np.datetime_as_string((np.where(known, moments, 0) + OFFSET).astype("datetime64[s]"))
    return [f"{t}+07:00" if k else None for t, k in zip(texts.tolist(), known.tolist(), strict=True)]


def _written(seed: int, shard: Shard, rows: np.ndarray, as_of: int) -> Iterator[Landed]:
    """These dossiers as a national portal shows them at ``as_of`` and the mapping writes them."""
    if not len(rows):
        return
    unit, catalogue = shard.unit, procedures(seed)
    at = np.where(shard.events[rows] <= as_of, shard.events[rows], NEVER)
    reached = at < NEVER
    # Moments rise strictly along the way of a dossier, so the last event is the one of the latest moment.
    last = np.where(reached, at, -1).argmax(axis=1)
    received, finished = reached[:, Event.RECEIVE], reached[:, Event.FINISH]
    resubmitted = reached[:, Event.RESUBMIT]
    due = np.where(resubmitted, shard.due_after_supplement[rows], shard.due_at[rows])
    paid_by_now = (shard.events[rows, Event.PAY] == NEVER) | reached[:, Event.PAY]
    person, number = shard.person[rows].tolist(), shard.number_of_day[rows].tolist()
    days = [f"{day_of(day):%y%m%d}" for day in shard.day[rows].tolist()]
    names = [clean(spelling(seed, unit, variant)) for variant in range(6)]
    yes = np.array(["false", "true"])
    done = shard.procedure[rows].tolist()
    columns = {
        "unit": [names[n % 6] for n in number],
        "dossier_id": [f"000.00.{unit.code}.{unit.letters}-{d}-{n:05d}" for d, n in zip(days, number, strict=True)],
        "agency_code": [f"{unit.letters}.{catalogue[p].number % 18 + 1:02d}" for p in done],
        "procedure_code": [code_in(unit, catalogue[p]) for p in done],
        "status_code": [str(status) for status in STATUS[last].tolist()],
        "channel_code": [str(channel) if channel else None for channel in shard.channel[rows].tolist()],
        "opened_at": _texts(np.where(reached[:, Event.SUBMIT], at[:, Event.SUBMIT], at[:, Event.RECEIVE])),
        "received_at": _texts(at[:, Event.RECEIVE]),
        "due_at": _texts(np.where(received, due, NEVER)),
        "finished_at": _texts(at[:, Event.FINISH]),
        "fee_vnd": [str(fee) for fee in shard.fee[rows].tolist()],
        "online_payment_code": [str(p) for p in np.where(received & paid_by_now, shard.payment[rows], 0).tolist()],
        "has_electronic_result": yes[(finished & shard.has_electronic_result[rows]).astype(int)].tolist(),
        "is_digitised": yes[(received & shard.is_digitised[rows]).astype(int)].tolist(),
        "reuses_data": yes[(received & shard.reuses_data[rows]).astype(int)].tolist(),
        "uses_population_data": yes[shard.uses_population_data[rows].astype(int)].tolist(),
        "is_satisfied": np.where(
            reached[:, Event.RATE], yes[shard.is_satisfied[rows].astype(int)].astype(object), None
        ).tolist(),
        "is_synchronised": yes[shard.is_synchronised[rows].astype(int)].tolist(),
        "supplement_request_count": [str(int(asked)) for asked in reached[:, Event.ASK_SUPPLEMENT].tolist()],
        "applicant_type_code": ["2" if p % 100 < 18 else "1" for p in person],
        "applicant_ref": [pseudonym(people.identity(p), KEY) for p in person],
        "updated_at": _texts(np.where(reached, at, -1).max(axis=1)),
    }
    flaws = shard.flaw[rows].tolist()
    for flaw, who, values in zip(flaws, person, zip(*columns.values(), strict=True), strict=True):
        row = dict(zip(columns, values, strict=True))
        if flaw < FLAW_SHARE:
            _spoil(row, FLAWS[int(flaw / FLAW_SHARE * len(FLAWS))], who)
        yield row


def _spoil(row: Landed, flaw: str, person: int) -> None:
    """What the portal's flaws look like once landed; twins are left out."""
    if flaw == "bad_procedure_code":
        row["procedure_code"] = f"TTHC-{(row['procedure_code'] or '')[2:6]}"
    elif flaw == "missing_procedure":
        row["procedure_code"] = None
    elif flaw == "unknown_status":
        row["status_code"] = "99"
    elif flaw == "status_in_words":
        row["status_code"] = "Đang xử lý"
    elif flaw == "impossible_date" and row["received_at"]:
        row["received_at"] = "20260231090000"
    elif flaw == "finished_before_received" and row["finished_at"]:
        row["finished_at"] = "2020-09-13T19:26:40+07:00"
    elif flaw == "negative_fee":
        row["fee_vnd"] = "-50000"
    elif flaw == "unknown_unit":
        row["unit"] = STRANGERS[person % len(STRANGERS)]
