"""Judges one batch: the manifest of what landed goes in, the verdict comes out.

Parts are judged one after the other; only the columns that batch-scope rules look at are held for all rows. Once
those rules have spoken, rows they name are taken back from the passed files, which touches only the parts concerned.
"""

from __future__ import annotations

import shutil
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dti.feeds import load_contract
from dti.gate.engine import Outcome, check
from dti.gate.errors import GateError
from dti.gate.held import Held
from dti.gate.part import Bench
from dti.gate.quarantine import Quarantine, take_back, write_whole_batch
from dti.gate.retyped import retyped
from dti.gate.schema import judged_schema
from dti.gate.staging import bench_folder, save_verdict
from dti.gate.suite import Expectation, Suite, load_suite, parameters_of
from dti.gate.tally import Tally
from dti.gate.units import UnitDirectory, load_units
from dti.gate.verdict import Verdict
from dti.gate.waive import without
from dti.landing import ledger
from dti.landing.batch import Manifest
from dti.settings import Settings


@dataclass
class _Part:
    """A part that has been judged row by row."""

    landed: Path
    first_row: int
    end_row: int
    passed_file: Path
    rows_passed: int
    quarantined: list[int]


def judge(manifest: Manifest, *, settings: Settings) -> Verdict:
    """Judge a landed batch and write ``DTI_HOME/staging/<batch_id>/`` anew: passed files, quarantine, verdict last.

    The same batch gives the same verdict, whatever an earlier, killed call left in the folder. Raises ConfigError
    for a faulty contract, suite or alias file, GateError when a rule could not be computed, and what
    ``ledger.verify`` raises when the batch is not what landed; in each case there is no verdict.
    """
    judging = _Judging(manifest, settings)
    return judging.run()


class _Judging:
    """One call of ``judge``: what it reads, and what it has found so far."""

    def __init__(self, manifest: Manifest, settings: Settings) -> None:
        self.manifest, self.settings = manifest, settings
        self.contract = load_contract(manifest.feed, settings.include_dir / "feeds")
        waived = frozenset(manifest.release.waived_rules) if manifest.release else frozenset()
        self.suite: Suite = without(load_suite(manifest.feed, settings), waived)
        self.parameters: dict[str, Any] = parameters_of(manifest)
        self.tally = Tally(self.contract, self.suite, manifest.rows, waived=waived)
        self.batch_columns = list(dict.fromkeys(c for e in self.suite.of_scope("batch") for c in e.columns))
        self.parts: list[_Part] = []

    def run(self) -> Verdict:
        """All steps, in order."""
        manifest, units = self.manifest, load_units(self.settings)
        with (
            ledger.at_hand(manifest, self.settings) as landed,
            bench_folder(manifest.batch_id, self.settings) as self.folder,
        ):
            return self._judged(landed, units)

    def _judged(self, landed: list[Path], units: UnitDirectory) -> Verdict:
        manifest = self.manifest
        with (
            Bench(self.contract, manifest, units) as bench,
            Held(judged_schema(self.contract, self.batch_columns), self.folder / "spill") as held,
            Quarantine(self.folder / "quarantine.parquet") as quarantine,
        ):
            for path in landed:
                self._judge_part(bench, held, quarantine, path)
            self._check_count()
            self.tally.retyped = retyped(self.contract, self.tally.unreadable(), [part.landed for part in self.parts])
            self._judge_batch(bench, held, quarantine)
        shutil.rmtree(self.folder / "spill", ignore_errors=True)
        return save_verdict(self._verdict(quarantine), self.settings)

    def _judge_part(self, bench: Bench, held: Held, quarantine: Quarantine, path: Path) -> None:
        first_row = self.parts[-1].end_row if self.parts else 0
        rows = bench.lay(path, first_row)
        bench.type()
        rules = self.suite.of_scope("row")
        columns = list(dict.fromkeys(c for e in rules for c in e.columns))
        outcomes = check(bench.frame(columns), rules, self.parameters)
        self._note(bench, rules, outcomes)
        self.tally.add_outcomes(outcomes)
        self.tally.add_faults(bench.tally())
        bad = bench.quarantined_rows()
        self.tally.rows_quarantined += len(bad)
        part = _Part(path, first_row, first_row + rows, self.folder / f"passed-{len(self.parts):05d}.parquet", 0, bad)
        if not self.tally.stop_reasons():  # of a batch that will be stopped nothing is kept
            part.rows_passed = bench.write_passed(part.passed_file)
            quarantine.add(bench.quarantine())
        self.parts.append(part)
        held.add(bench.kept_values(self.batch_columns))

    def _judge_batch(self, bench: Bench, held: Held, quarantine: Quarantine) -> None:
        """Batch-scope rules over all parts, then the parts again that hold rows they name."""
        rules = self.suite.of_scope("batch")
        outcomes = held.check(rules, self.parameters)
        self.tally.add_outcomes(outcomes)
        failing = {o.rule: o.failed_rows for o in outcomes if o.failed_rows}
        severe = {e.rule for e in rules if e.severity == "warning"}
        self.tally.rows_quarantined += len({row for rule, rows in failing.items() if rule in severe for row in rows})
        for part in self.parts:
            here = [_within(o, part) for o in outcomes]
            if any(o.failed_rows for o in here):
                bench.lay(part.landed, part.first_row)
                self._note(bench, rules, here)
                self.tally.add_faults(bench.tally())
                self._take_back(bench, quarantine, part)

    def _take_back(self, bench: Bench, quarantine: Quarantine, part: _Part) -> None:
        if self.tally.stop_reasons():
            return
        bad = bench.quarantined_rows()
        if bad:
            # A row's place in the passed file is its place in the part less the bad rows before it.
            positions = [row - part.first_row - bisect_left(part.quarantined, row) for row in bad]
            part.rows_passed = take_back(part.passed_file, positions)
            quarantine.add(bench.quarantine())

    def _note(self, bench: Bench, rules: list[Expectation], outcomes: list[Outcome]) -> None:
        for rule, outcome in zip(rules, outcomes, strict=True):
            bench.note(rule, self.suite.expectations.index(rule), outcome.failed_rows)

    def _check_count(self) -> None:
        rows = self.parts[-1].end_row if self.parts else 0
        if rows != self.manifest.rows:
            raise GateError(
                f"its parts hold {rows} rows, its manifest says {self.manifest.rows}",
                where=self.manifest.batch_id,
                remedy="remove the batch from landing and pull the source again",
            )

    def _verdict(self, quarantine: Quarantine) -> Verdict:
        manifest, stops = self.manifest, self.tally.stop_reasons()
        if stops:
            reason = "; ".join(f"{rule}: {why}" for rule, why in stops)
            for part in self.parts:
                part.passed_file.unlink(missing_ok=True)
            write_whole_batch(quarantine.path, manifest.batch_id, [rule for rule, _ in stops], reason)
        kept = [] if stops else [part for part in self.parts if part.rows_passed]
        return Verdict(
            batch_id=manifest.batch_id,
            feed=manifest.feed,
            source_id=manifest.source_id,
            night=manifest.night,
            status="stopped" if stops else "passed",
            rows_landed=manifest.rows,
            rows_passed=sum(part.rows_passed for part in kept),
            rows_quarantined=manifest.rows if stops else quarantine.rows,
            rules=self.tally.results(),
            stopped_reason=reason if stops else None,
            passed_files=[str(part.passed_file) for part in kept],
            quarantine_file=str(quarantine.path) if stops or quarantine.rows else None,
        )


def _within(outcome: Outcome, part: _Part) -> Outcome:
    """The outcome's failing rows that stand in ``part``."""
    rows = outcome.failed_rows
    here = rows[bisect_left(rows, part.first_row) : bisect_left(rows, part.end_row)]
    return Outcome(outcome.rule, outcome.passed, 0, here, outcome.observed)
