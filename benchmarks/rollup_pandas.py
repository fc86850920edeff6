"""The rollup of dossiers as an analyst writes it in pandas: one month of the lake at a time."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

READ = [
    "received_at", "received_on", "finished_at", "finished_on", "due_at", "due_on", "unit_id", "_source_id",
    "procedure_code", "status_code", "channel_code", "fee_vnd", "online_payment_code", "has_electronic_result",
    "is_digitised", "reuses_data", "uses_population_data", "is_satisfied", "is_synchronised",
    "supplement_request_count", "applicant_type_code",
]  # fmt: skip
ORDER = [
    "received", "online", "with_fee", "paid_online", "digitised", "reusing_data", "population_data", "synchronised",
    "finished", "on_time", "early", "electronic_result", "satisfied", "direct", "by_post", "fee_zero",
    "payment_online", "payment_on_portal", "online_with_result", "from_citizens", "citizens_population_data",
    "punctual", "unpunctual", "disliked", "digitised_with_result",
]  # fmt: skip
KEY = ["day", "unit_id", "source_id", "procedure_code"]


def month_of_facts(partition_key: str, files: list[str]) -> pa.Table:
    """The facts of one month's files."""
    d = pd.concat([pd.read_parquet(file, columns=READ) for file in files], ignore_index=True)
    d = d.rename(columns={"_source_id": "source_id"})
    for name in (each for each in READ if each.startswith(("has_", "is_", "reuses_", "uses_"))):
        d[name] = d[name].astype("boolean")
    facts = _received(d).join(_finished(d), how="outer").fillna(0).astype("int64")
    facts.columns = facts.columns.map("dossiers_{}".format)
    facts = facts[[f"dossiers_{name}" for name in ORDER]].reset_index()
    facts.insert(0, "partition_key", partition_key)
    return pa.Table.from_pandas(facts, preserve_index=False)


def _received(every: pd.DataFrame) -> pd.DataFrame:
    d = every[every.received_at.notna()].rename(columns={"received_on": "day"})
    fee = d.fee_vnd.astype("float64")
    pays, not_free = d.online_payment_code.isin([1, 2]), fee.fillna(1) > 0
    citizen, online = d.applicant_type_code == 1, d.channel_code == 2
    return _counted(
        d,
        {
            "received": True,
            "online": online,
            "with_fee": fee > 0,
            "paid_online": (fee > 0) & pays,
            "digitised": d.is_digitised,
            "reusing_data": d.reuses_data,
            "population_data": d.uses_population_data,
            "synchronised": d.is_synchronised,
            "direct": d.channel_code.fillna(1) == 1,
            "by_post": d.channel_code == 3,
            "fee_zero": fee == 0,
            "payment_online": pays & not_free,
            "payment_on_portal": (d.online_payment_code == 1) & not_free,
            "online_with_result": online & d.has_electronic_result,
            "from_citizens": citizen,
            "citizens_population_data": citizen & d.uses_population_data,
        },
    )


def _finished(every: pd.DataFrame) -> pd.DataFrame:
    d = every[every.status_code.isin([9, 10]) & every.finished_at.notna()].rename(columns={"finished_on": "day"})
    punctual, asked = d.finished_at <= d.due_at, d.supplement_request_count
    return _counted(
        d,
        {
            "finished": True,
            "on_time": punctual,
            "early": d.day < d.due_on,
            "electronic_result": d.has_electronic_result,
            "satisfied": d.is_satisfied,
            "punctual": punctual & (asked.fillna(0) <= 1),
            "unpunctual": (d.finished_at > d.due_at) | (asked > 1),
            "disliked": ~d.is_satisfied,
            "digitised_with_result": d.is_digitised & d.has_electronic_result,
        },
    )


def _counted(d: pd.DataFrame, conditions: dict[str, object]) -> pd.DataFrame:
    """How many rows of each day, unit, source and procedure meet each condition; unknown does not."""
    met = d[KEY].assign(**conditions)
    for name in conditions:
        met[name] = met[name].fillna(False).astype("int64") if met[name].hasnans else met[name].astype("int64")
    return met.groupby(KEY, sort=False, observed=True).sum()
