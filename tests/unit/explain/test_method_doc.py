"""docs/method.md: every figure in it is computed here anew from the framework and the published figures."""

from __future__ import annotations

import csv
import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
import yaml

from dti.explain.figures import rounded
from dti.explain.model import CompositeExplanation, IndicatorExplanation, PillarExplanation, Words
from dti.explain.words import Scoring, Term, calculation_words

ROOT = Path(__file__).resolve().parents[3]
DOC = (ROOT / "docs" / "method.md").read_text("utf-8")
TEXT = " ".join(DOC.split())
D = Decimal
WEIGHTS = {"NT": 100, "TC": 100, "HT": 100, "NL": 100, "AT": 100, "CQS": 200, "KTS": 150, "XHS": 150}
DAK_LAK = "P63-66"


def table(name: str) -> list[dict[str, str]]:
    with (ROOT / "include" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FRAMEWORK = yaml.safe_load((ROOT / "include/frameworks/922-2022/framework.yml").read_text("utf-8"))
INDICATORS = table("frameworks/922-2022/indicators.csv")
NAMES = {row["unit_id"]: row["name_vi"] for row in table("reference/unit.csv")}
FIGURES = {(row["year"], row["unit_id"], row["measure"]): row for row in table("reference/published_index.csv")}


def value(unit_id: str, measure: str, year: str = "2022") -> Decimal:
    return D(FIGURES[year, unit_id, measure]["value"])


def cells(first: str) -> list[str]:
    """The cells of the table row that starts with ``first``."""
    (line,) = [line for line in DOC.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def says(*parts: str) -> None:
    for part in parts:
        assert " ".join(part.split()) in TEXT, part


def competition_rank(of: Decimal, among: list[Decimal]) -> int:
    return 1 + sum(other > of for other in among)


def test_the_structure_is_the_frameworks() -> None:
    for number, pillar in enumerate(FRAMEWORK["pillars"], start=1):
        code = pillar["code"]
        assert cells(str(number))[:4] == [
            str(number), f"{code} {pillar['name_vi']}", str(pillar["component_count"]), str(pillar["max_points"])
        ]  # fmt: skip
        own = [row for row in INDICATORS if row["pillar_code"] == code]
        assert (len(own), sum(D(row["max_points"]) for row in own)) == (pillar["component_count"], pillar["max_points"])
        assert cells(str(number))[4] == str(FRAMEWORK["composites"]["PDTI"]["weights"].get(code, "–"))
    assert cells("Σ")[1:] == ["sum", "98", "1000", "1000"]
    assert FRAMEWORK["composites"]["PDTI"]["weights"] == WEIGHTS


def test_the_formulas_are_the_frameworks() -> None:
    def formula(code: str) -> tuple[Decimal, dict[str, Decimal]]:
        (line,) = re.findall(rf"^ +{code} += (.*)$", DOC, re.MULTILINE)
        total = re.search(r"\) / (\d+)$", line)
        shares = {}
        for weight, some in re.findall(r"([\d.]+) × (\([^()]*\)|[A-Z]+)", line):
            shares |= {pillar: D(weight) for pillar in re.findall(r"[A-Z]+", some)}
        return D(total[1]) if total else D(1), shares

    for code, composite in FRAMEWORK["composites"].items():
        total, shares = formula(code)
        weights = {pillar: D(weight) for pillar, weight in composite["weights"].items()}
        assert {p: w / total for p, w in shares.items()} == {p: w / sum(weights.values()) for p, w in weights.items()}


def test_how_sure_we_are_is_counted() -> None:
    names = Counter(row["name_provenance"] for row in INDICATORS)
    points = Counter(row["points_provenance"] for row in INDICATORS)
    says(f"{names['quoted']} quoted, {names['inferred']} inferred, {names['provisional']} provisional")
    says(f"{points['quoted']} quoted (the zeros of smart city), {points['provisional']} provisional")
    assert points["inferred"] == 0
    assert {row["pillar_code"] for row in INDICATORS if row["points_provenance"] == "quoted"} == {"DTTM"}
    assert {c: FRAMEWORK["composites"][c]["provenance"] for c in ("CHINH_QUYEN_SO", "KINH_TE_SO", "XA_HOI_SO")} == {
        "CHINH_QUYEN_SO": "quoted", "KINH_TE_SO": "inferred", "XA_HOI_SO": "inferred"
    }  # fmt: skip
    for rule in {row["rule"] for row in INDICATORS}:
        assert f"| `{rule}` |" in DOC
    says(f"in 922: {', '.join(FRAMEWORK['basis_order'])}")


def test_the_worked_indicator() -> None:
    (row,) = [row for row in INDICATORS if row["code"] == "7.3"]
    assert (row["name_provenance"], row["points_provenance"]) == ("inferred", "provisional")
    top, target = D(row["max_points"]), D(row["target"])
    share = D(222) / 673 / target
    one = Words(vi="", en="")
    said = calculation_words(
        Scoring(
            row["rule"], top, target, [], "scored", Term("", one, "dossiers", D(222)),
            Term("", one, "dossiers", D(673)), D(222) / 673, share, top * share,
        )
    ).en  # fmt: skip
    assert said == "222 of 673 dossiers = 32.9866 %; target 50 % → 15 × 0.65973 = 9.8960 of 15 points"
    says("222 of 673 dossiers, target 50 %, 15 points", "32.9866 %", f"15 × 0.65973 = {rounded(top * share, 4)} points")
    says(f"lost: {rounded(top - top * share, 4)}", f"= {str(D(222) / 673)[:8]}…", f"= {str(share)[:8]}…")


def test_five_provinces_by_the_formula() -> None:
    complete = [
        unit
        for year, unit, measure in FIGURES
        if (year, measure) == ("2022", "NT") and FIGURES[year, unit, "NT"]["value"]
    ]
    complete = [unit for unit in complete if all(("2022", unit, pillar) in FIGURES for pillar in WEIGHTS)]
    assert len(complete) == 5
    for unit in complete:
        name = "Huế" if "Huế" in NAMES[unit] else NAMES[unit]
        row = cells(name)
        assert [D(cell) for cell in row[1:9]] == [value(unit, pillar) for pillar in WEIGHTS]
        by_formula = sum(value(unit, pillar) * weight for pillar, weight in WEIGHTS.items()) / 1000
        assert D(row[9]) == by_formula
        assert (D(row[10]), row[11]) == (value(unit, "PDTI"), FIGURES["2022", unit, "PDTI"]["rank"])
        assert abs(by_formula - value(unit, "PDTI")) < D("0.0001")
    assert rounded(D(cells("Hồ Chí Minh")[9]), 4) == D("0.7164")
    says("0.0001 below the formula's rounded 0.7164")


def test_dak_lak_2022() -> None:
    known = {measure: value(DAK_LAK, measure) for measure in ("HT", "CQS", "KTS", "XHS")}
    pdti = value(DAK_LAK, "PDTI")
    rank = FIGURES["2022", DAK_LAK, "PDTI"]["rank"]
    says(f"{', '.join(f'{m} {v}' for m, v in known.items())}, PDTI {pdti}, rank {rank} of 63")
    assert not any(("2022", DAK_LAK, measure) in FIGURES for measure in ("NT", "TC", "NL", "AT"))
    rest = sum(known[m] * WEIGHTS[m] for m in known) / 100
    four = pdti * 10 - rest
    says(f"= {pdti * 10:.4f} − {rest.normalize()} = {four.normalize()} a mean of {rounded(four / 4, 4)}")
    given = {"four": four / 10, **{m: known[m] * WEIGHTS[m] / 1000 for m in known}, "all": pdti}
    weights = {"four": D("0.4"), **{m: D(WEIGHTS[m]) / 1000 for m in known}, "all": D(1)}
    assert cells("contribution")[1:] == [f"{rounded(part, 6)}" for part in given.values()]
    assert cells("lost")[1:] == [f"{rounded(weights[name] - part, 6)}" for name, part in given.items()]
    assert max(known, key=lambda m: weights[m] - given[m]) == "XHS"
    assert weights["XHS"] - given["XHS"] > D("0.1"), "more than any pillar of 100 points can lose"
    foundation = (four + known["HT"]) * 100
    derived = {
        "CHINH_QUYEN_SO": (foundation + 200 * known["CQS"]) / 700,
        "KINH_TE_SO": (foundation + 150 * known["KTS"]) / 650,
        "XA_HOI_SO": (foundation + 150 * known["XHS"]) / 650,
    }
    says(", ".join(f"{code} {rounded(index, 4)}" for code, index in derived.items()))
    assert not any(("2022", DAK_LAK, code) in FIGURES for code in derived)


def test_dak_lak_among_the_others_2022() -> None:
    everyone = {u: D(row["value"]) for (year, u, m), row in FIGURES.items() if (year, m) == ("2022", "PDTI")}
    assert len(everyone) == 63
    assert competition_rank(everyone[DAK_LAK], list(everyone.values())) == 47
    above = min(other for other in everyone.values() if other > everyone[DAK_LAK])
    assert competition_rank(above, list(everyone.values())) == 46
    more = everyone[DAK_LAK] + D("0.001")
    others = [other for unit, other in everyone.items() if unit != DAK_LAK]
    assert competition_rank(more, others) == 46
    says(f"Rank 46 had {above}, a distance of {above - everyone[DAK_LAK]}", f"would have given {more} and rank 46")
    region = {
        row["unit_id"] for row in table("reference/unit.csv") if (row["geography"], row["region_code"]) == ("63", "TN")
    }
    own = sorted(((everyone[unit], NAMES[unit]) for unit in region), reverse=True)
    says(f"({', '.join(f'{name} {index}' for index, name in own)})", "Đắk Lắk was 3rd of 5")
    assert (own[2][1], len(own)) == ("Đắk Lắk", 5)
    tied = {NAMES[unit] for unit, index in everyone.items() if competition_rank(index, list(everyone.values())) == 15}
    assert tied == {"Thanh Hóa", "Yên Bái"}
    (next_unit,) = [u for u, index in everyone.items() if competition_rank(index, list(everyone.values())) == 17]
    says(f"the next, {NAMES[next_unit]} ({everyone[next_unit]}), has 17", "both have 0.6350 and rank 15")


def test_dak_lak_2021() -> None:
    ranks = {m: FIGURES["2021", DAK_LAK, m]["rank"] for m in ("NT", "TC", "HT", "NL", "AT", "CQS", "KTS", "XHS")}
    says(", ".join(f"{measure} {rank}" for measure, rank in ranks.items()))
    assert FIGURES["2021", DAK_LAK, "PDTI"]["rank"] == "36"
    assert not any(FIGURES["2021", DAK_LAK, measure]["value"] for measure in [*ranks, "PDTI"])
    says("36 of 63 and 2nd of 5 in Tây Nguyên")


@pytest.mark.parametrize(("shown", "published"), [("0.69244999999999999", "0.6925"), ("0.692449", "0.6924")])
def test_rounding(shown: str, published: str) -> None:
    snapped = D(shown).quantize(D("1e-12"), ROUND_HALF_UP)
    assert snapped.quantize(D("1e-4"), ROUND_HALF_UP) == D(published)
    says(f"{shown} is {published}")


def test_means_and_other_decisions() -> None:
    last = [
        D(row["value"])
        for (year, _, m), row in FIGURES.items()
        if (year, m, row["geography"]) == ("2024", "PDTI", "63")
    ]
    assert len(last) == 63
    assert rounded(sum(last) / 63, 4) == D("0.6961")
    both = [value(unit, "PDTI", "2024") for unit in (DAK_LAK, "P63-54")]
    says(f"{both[0]} (Đắk Lắk) and {both[1]} (Phú Yên)", f"has {rounded(sum(both) / 2, 4)}, derived")
    bac_ninh = [value("P63-27", measure, "2020") for measure in ("CHINH_QUYEN_SO", "KINH_TE_SO", "XA_HOI_SO")]
    index = sum(w * v for w, v in zip((D("0.4"), D("0.3"), D("0.3")), bac_ninh, strict=True))
    assert rounded(index, 4) == value("P63-27", "PDTI", "2020")
    says(
        f"CHINH_QUYEN_SO {bac_ninh[0]}, KINH_TE_SO {bac_ninh[1]}, XA_HOI_SO {bac_ninh[2]}",
        "and a published PDTI of 0.4096",
        f"gives {index.normalize()}",
    )
    decisions = {
        year: {r["decision"] for (y, _, _), r in FIGURES.items() if y == year} for year in ("2020", "2022", "2024")
    }
    assert decisions == {"2020": {"1726/QĐ-BTTTT"}, "2022": {"922/QĐ-BTTTT"}, "2024": {"405/QĐ-BKHCN"}}
    assert FRAMEWORK["in_force"] == {"from_year": 2021, "to_year": 2023}


@pytest.mark.parametrize("told", [IndicatorExplanation, PillarExplanation, CompositeExplanation])
def test_every_key_of_the_json_is_documented(
    told: type[IndicatorExplanation | PillarExplanation | CompositeExplanation],
) -> None:
    row = cells(f"`{told.model_fields['kind'].default}`")[1]
    for key in set(told.model_fields) - {"kind", "unit", "run", "notes"}:
        assert f"`{key}`" in row
