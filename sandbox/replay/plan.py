"""The counts of one province's year: chosen so that every pillar comes to its target, and checked in fractions."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache

from sandbox.replay.targets import INCLUDE, NotReplayableError, Target

Counts = dict[tuple[str, str], Fraction]
"""(feed, metric) → value."""
Indicator = Mapping[str, str]

DOSSIERS, WITH_FEE, SERVICES = 240, 120, 100
AGENCIES, STAFF_OF_AGENCY = 20, 500
COMMUNES, VILLAGES_OF_COMMUNE, PEOPLE_OF_COMMUNE = 25, 40, 4_000
SYSTEMS, SHARED_SYSTEMS, PLATFORMS, NETWORKS, DATABASES = 100, 60, 40, 60, 40
WORKSTATION_GROUPS, WORKSTATIONS_OF_GROUP = 20, 100
SERVERS, DAYS_WATCHED = 200, 31
DENOMINATOR = Fraction(1_000_000)
"""Denominators that a province declares: large, so that six decimals of a numerator tell indices far apart."""
FIXED: Counts = {
    ("online_services", "dossiers_received"): Fraction(DOSSIERS),
    ("online_services", "dossiers_finished"): Fraction(DOSSIERS),
    ("online_services", "dossiers_with_fee"): Fraction(WITH_FEE),
    ("online_services", "services_total"): Fraction(SERVICES),
    ("staffing", "staff_total"): Fraction(AGENCIES * STAFF_OF_AGENCY),
    ("staffing", "agencies_total"): Fraction(AGENCIES),
    ("community_teams", "communes_total"): Fraction(COMMUNES),
    ("community_teams", "villages_total"): Fraction(COMMUNES * VILLAGES_OF_COMMUNE),
    ("community_teams", "population"): Fraction(COMMUNES * PEOPLE_OF_COMMUNE),
    ("platform_inventory", "systems_total"): Fraction(SYSTEMS),
    ("platform_inventory", "shared_systems_total"): Fraction(SHARED_SYSTEMS),
    ("platform_inventory", "shared_platforms_required"): Fraction(PLATFORMS),
    ("platform_inventory", "agencies_total"): Fraction(NETWORKS),
    ("platform_inventory", "workstations_total"): Fraction(WORKSTATION_GROUPS * WORKSTATIONS_OF_GROUP),
    ("platform_inventory", "national_databases_available"): Fraction(DATABASES),
    ("data_centre", "servers_total"): Fraction(SERVERS),
    ("data_centre", "data_centre_expected_seconds"): Fraction(DAYS_WATCHED * 86_400),
}
COUNTED = frozenset(
    {
        "dossiers_online", "dossiers_paid_online", "dossiers_digitised", "dossiers_reusing_data",
        "dossiers_population_data", "dossiers_synchronised", "dossiers_on_time", "dossiers_early",
        "dossiers_electronic_result", "dossiers_satisfied", "services_with_online_dossier", "services_online",
        "services_full_online", "services_eligible_full_online",
        "agencies_on_dedicated_network", "shared_systems_on_cloud", "shared_platforms_with_ai",
        "systems_level_determined", "systems_level_approved", "systems_fully_protected", "systems_monitored",
        "systems_assessed", "workstations_with_antimalware", "national_databases_connected",
        "government_cloud_connected",
        "staff_digital_transformation", "staff_information_technology", "staff_information_security",
        "staff_trained_dx", "staff_trained_digital_skills", "staff_trained_data", "agencies_with_focal_staff",
        "communes_with_team", "villages_with_team", "team_members_total", "team_members_trained",
        "data_centre_up_seconds", "servers_with_antimalware",
    }
)  # fmt: skip
"""Measured numerators that ``records`` knows how to put into records; any other would be planned and never sent."""
_FIRST = (
    "communes_with_team",
    "services_online",
    "services_full_online",
    "services_with_online_dossier",
    "team_members_total",
)
"""Numerators that other figures hang on; they are chosen first, in this order."""


@lru_cache(maxsize=4)
def indicators(framework: str) -> tuple[Indicator, ...]:
    """The framework's indicators. Raises NotReplayableError when there is no such framework with indicators."""
    path = INCLUDE / "frameworks" / framework / "indicators.csv"
    if not path.is_file():
        raise NotReplayableError(f"framework {framework} has no indicators.csv: it cannot be computed")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = tuple(csv.DictReader(file))
    stated = {row["code"]: f"points.{framework}.{row['code']}" for row in rows if row["rule"] == "manual"}
    return tuple({**row, "numerator_metric": row["numerator_metric"] or stated.get(row["code"], "")} for row in rows)


def plan(framework: str, target: Target) -> Counts:
    """Every count of the province's year. Raises NotReplayableError naming the pillar that cannot be met."""
    rows = indicators(framework)
    counts = dict(FIXED)
    measured = [row for row in rows if row["feed"] != "declarations"]
    for row in sorted(measured, key=lambda r: _rank(r["numerator_metric"])):
        _choose_measured(row, target, counts)
    for pillar in target.pillars:
        own = [row for row in rows if row["pillar_code"] == pillar]
        _declare(pillar, own, target.pillars[pillar], counts)
        reached = sum((points(row, counts) for row in own), Fraction(0))
        whole = sum((Fraction(row["max_points"]) for row in own), Fraction(0))
        if abs(reached / whole - target.pillars[pillar]) > Fraction(1, 10_000_000):
            raise NotReplayableError(f"{target.name}: {pillar} comes to {float(reached / whole):.7f}")
    return counts


def points(row: Indicator, counts: Counts) -> Fraction:
    """Points that an indicator earns on the planned counts; this module's own reading of the rules."""
    value = _value(row["feed"], row["numerator_metric"], counts)
    share = value
    if row["rule"] in ("ratio", "target_ratio"):
        denominator = _value(row["feed"], row["denominator_metric"], counts)
        share = value / denominator if denominator else Fraction(0)
    if row["rule"] in ("target_ratio", "target_count"):
        share /= Fraction(row["target"])
    elif row["rule"] == "manual":
        share = value / (Fraction(row["max_points"]) or 1)
    elif row["rule"] == "yes_no":
        share = Fraction(int(value >= 1))
    elif row["rule"] == "steps":
        share = max((gives for least, gives in _steps(row) if value >= least), default=Fraction(0))
    return max(Fraction(0), min(Fraction(1), share)) * Fraction(row["max_points"])


def _value(feed: str, metric: str, counts: Counts) -> Fraction:
    if metric == "months_in_period":
        return Fraction(12)
    found = counts.get((feed, metric), counts.get(("declarations", metric)))
    if found is None:
        raise NotReplayableError(f"no way is known to make up metric {metric} of feed {feed}")
    return found


def _rank(metric: str) -> int:
    return _FIRST.index(metric) if metric in _FIRST else len(_FIRST)


def _steps(row: Indicator) -> list[tuple[Fraction, Fraction]]:
    return [(Fraction(a), Fraction(b)) for a, _, b in (step.partition("=") for step in row["target"].split(";"))]


def _choose_measured(row: Indicator, target: Target, counts: Counts) -> None:
    """The numerator that brings the indicator nearest to its pillar's target, as a whole count."""
    feed, metric, denominator = row["feed"], row["numerator_metric"], row["denominator_metric"]
    share = target.pillars.get(row["pillar_code"], Fraction(1, 2))
    key = (feed, metric)
    if key in counts:
        return
    known = metric in COUNTED and row["rule"] in ("yes_no", "ratio", "target_ratio")
    whole_known = (feed, denominator) in counts or metric == "services_full_online" or row["rule"] == "yes_no"
    if not (known and whole_known):
        raise NotReplayableError(
            f"{target.name}: {row['pillar_code']} cannot be calibrated: no records are known that would measure "
            f"{metric}{f' of {denominator}' if denominator else ''} (indicator {row['code']}, feed {feed}, "
            f"rule {row['rule']})"
        )
    if row["rule"] == "yes_no":
        counts[key] = Fraction(int(share >= Fraction(1, 2)))
        return
    if metric == "services_full_online":
        # Half of the online services are offered in full; as many more are eligible as the share leaves undone.
        full = Fraction(round(_value(feed, "services_online", counts) / 2))
        counts[key] = full
        counts[feed, denominator] = min(Fraction(SERVICES), Fraction(round(full / share))) if share else Fraction(50)
        return
    wish = share * _value(feed, denominator, counts) * Fraction(row["target"] or 1)
    if metric == "villages_with_team":
        # No commune has more villages with a team than villages.
        wish = min(wish, VILLAGES_OF_COMMUNE * counts.get((feed, "communes_with_team"), Fraction(0)))
    if metric == "data_centre_up_seconds":
        up_share = Fraction(round(min(Fraction(1), share * Fraction(row["target"] or 1)) * 10**6), 10**6)
        counts[key] = up_share * DAYS_WATCHED * 86_400
    else:
        counts[key] = Fraction(round(wish))


def _declare(pillar: str, rows: Iterable[Indicator], share: Fraction, counts: Counts) -> None:
    """Figures that the province states: yes or no and steps near the target, then all others exactly on it."""
    own = list(rows)
    whole = sum((Fraction(row["max_points"]) for row in own), Fraction(0))
    stated = [row for row in own if row["feed"] == "declarations"]
    rest = share * whole - sum((points(row, counts) for row in own if row["feed"] != "declarations"), Fraction(0))
    coarse = [row for row in stated if row["rule"] in ("yes_no", "steps")]
    fine = [row for row in stated if row not in coarse]
    room = {
        kind: sum((Fraction(r["max_points"]) for r in of), Fraction(0)) for kind, of in (("c", coarse), ("f", fine))
    }
    aim = rest if not room["f"] else rest * room["c"] / (room["c"] + room["f"])
    taken = Fraction(0)
    for row in sorted(coarse, key=lambda r: -Fraction(r["max_points"])):
        top = Fraction(row["max_points"])
        options = _steps(row) if row["rule"] == "steps" else [(Fraction(0), Fraction(0)), (Fraction(1), Fraction(1))]
        slack = top / 4 if room["f"] else Fraction(0)
        within = ((n, g) for n, g in options if taken + g * top <= aim + slack)
        level, gives = max(within, key=lambda o: o[1], default=min(options, key=lambda o: o[1]))
        counts["declarations", row["numerator_metric"]] = level
        taken += gives * top
    if not room["f"]:
        return
    each = (rest - taken) / room["f"]
    if not 0 <= each <= 1:
        raise NotReplayableError(f"{pillar}: what is stated would have to earn {float(each):.3f} of its points")
    for row in fine:
        _state(row, each, counts)


def _state(row: Indicator, share: Fraction, counts: Counts) -> None:
    target = Fraction(row["target"] or 1)
    if row["rule"] == "target_count":
        value = share * target
    elif row["rule"] == "manual":
        value = share * Fraction(row["max_points"])
    else:
        if row["denominator_metric"] != "months_in_period":
            counts["declarations", row["denominator_metric"]] = DENOMINATOR
        value = share * target * _value("declarations", row["denominator_metric"], counts)
    counts["declarations", row["numerator_metric"]] = Fraction(round(value * 10**6), 10**6)


def smart_city(framework: str, counts: Counts) -> None:
    """Figures of the pillars without points, so that nothing is missing: half of everything."""
    for row in indicators(framework):
        if Fraction(row["max_points"]) == 0 and row["feed"] == "declarations":
            counts.setdefault(("declarations", row["numerator_metric"]), Fraction(1))
