"""Tells OpenLineage of each step: START, COMPLETE or FAIL, with what was read and what was written."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState, set_producer
from openlineage.client.facet_v2 import (
    documentation_job,
    error_message_run,
    job_type_job,
    nominal_time_run,
    parent_run,
)

from dti import clock
from dti.lineage import column_graph
from dti.observe import sending
from dti.observe.datasets import Datasets
from dti.observe.read_written import READ_WRITTEN, Told
from dti.observe.words import in_our_words
from dti.settings import Settings
from dti.steps import Step

_log = logging.getLogger(__name__)
NAMESPACE = "dti"
PRODUCER = "urn:dti-warehouse"
_IDS = uuid.uuid5(uuid.NAMESPACE_URL, PRODUCER)
set_producer(PRODUCER)

JOBS: dict[str, tuple[str, str]] = {
    "extract": ("extract.{source}", "Pull one source into one landing batch."),
    "gate": ("gate.{feed}", "Judge every batch that has landed and is not decided yet."),
    "judge": ("gate.{feed}.batch", "Judge one batch by the feed's expectations: what passes, and what is held back."),
    "load": ("load.{feed}", "Merge, roll up and load what was judged."),
    "merge": ("load.{feed}.merge", "Merge what passed into the lake table, newest state of each key."),
    "facts": ("load.{feed}.facts", "Roll up the changed partitions, and replace their facts in one transaction."),
    "compute": ("index", "Metrics, scores, pillars, composites and ranks of a night, as one run."),
    "annual_compute": ("annual.candidate", "The candidate of a year, from what was known at its cut-off."),
    "annual_publish": ("annual.publication", "An approved candidate becomes a publication, for good."),
}
"""Step → name of its job, and what it does."""


def run_id(step: Step, given: Mapping[str, Any]) -> str:
    """The id of a step's run: of the same batch, night, run or request it is the same, however often it is repeated."""
    return str(uuid.uuid5(_IDS, f"{job_name(step)}|{_key(step, given)}"))


def job_name(step: Step) -> str:
    """The name of a step's job."""
    fields = {"source": "unknown", "feed": "unknown"} | step.fields
    return JOBS[step.name][0].format(**fields)


def _key(step: Step, given: Mapping[str, Any]) -> str:
    if step.name == "merge":
        return ",".join(sorted(each.batch_id for each in given["verdicts"]))
    if step.name == "facts":
        return f"{given['lake_version']}|" + ",".join(sorted(each.manifest.batch_id for each in given["receipts"]))
    if step.name == "compute":
        return f"{step.fields['night']}|{given.get('framework_id') or given.get('default_framework')}"
    known = {"extract": "batch_id", "judge": "batch_id"}.get(
        step.name, "request_id" if "annual" in step.name else "night"
    )
    return step.fields.get(known) or f"{step.fields.get('night')}|{step.started_at.isoformat()}"


class Lineage:
    """Sends the events of one step. A pull has its id, and so its START, once it was given a batch."""

    def __init__(self) -> None:
        self._run_id = ""
        self._given: Mapping[str, Any] = {}

    def started(self, step: Step, given: Mapping[str, Any], settings: Settings) -> None:
        """Send START, where the run is known already."""
        if step.name not in JOBS or not sending.is_on():
            return
        self._given = dict(given) | {"default_framework": settings.framework}
        if step.name != "extract":
            self._start(step, settings)

    def known(self, step: Step, settings: Settings) -> None:
        """Send the START that waited."""
        if step.name == "extract" and sending.is_on() and not self._run_id and step.fields.get("batch_id"):
            self._start(step, settings)

    def ended(
        self, step: Step, given: Mapping[str, Any], result: Any, fault: BaseException | None, settings: Settings
    ) -> None:
        """Send COMPLETE with datasets, or FAIL with what may be told of the fault; the outermost step waits."""
        if step.name not in JOBS or not sending.is_on():
            return
        try:
            if not self._run_id:
                self._start(step, settings)
            told = Told() if fault is not None else self._datasets(step, given, result, settings)
            state = RunState.COMPLETE if fault is None else RunState.FAIL
            self._send(step, state, settings, told, fault)
        finally:
            if step.within is None:
                sending.flush()

    def _start(self, step: Step, settings: Settings) -> None:
        self._run_id = run_id(step, self._given)
        step.lineage_run = self._run_id
        self._send(step, RunState.START, settings, Told(), None, at=step.started_at)

    def _datasets(self, step: Step, given: Mapping[str, Any], result: Any, settings: Settings) -> Told:
        describe: Callable[..., Told] | None = READ_WRITTEN.get(step.name)
        if describe is None:
            return Told()
        try:
            return describe(Datasets(column_graph(settings), settings), step, given, result, settings)
        except Exception as fault:  # noqa: BLE001 - that a step ended is told also when nobody knows what it wrote
            _log.warning("%s: what it read and wrote is not told: %s", job_name(step), in_our_words(fault, settings))
            return Told()

    def _send(
        self,
        step: Step,
        state: RunState,
        settings: Settings,
        told: Told,
        fault: BaseException | None,
        at: datetime | None = None,
    ) -> None:
        night = step.fields.get("night") or clock.local_day(clock.now()).isoformat()
        inputs: list[InputDataset] = told.inputs
        outputs: list[OutputDataset] = told.outputs
        event = RunEvent(
            eventTime=(at or datetime.now(UTC)).isoformat(),
            producer=PRODUCER,
            run=Run(self._run_id, self._run_facets(step, fault, settings)),
            job=Job(NAMESPACE, job_name(step), _job_facets(step) | told.job_facets),
            eventType=state,
            inputs=inputs,
            outputs=outputs,
        )
        sending.send(event, night, settings)

    def _run_facets(self, step: Step, fault: BaseException | None, settings: Settings) -> dict[str, Any]:
        facets: dict[str, Any] = {}
        if night := step.fields.get("night"):
            day = date.fromisoformat(night)
            facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(
                clock.day_start(day).isoformat(), clock.day_end(day).isoformat()
            )
        if step.within is not None and step.within.lineage_run:
            facets["parent"] = parent_run.ParentRunFacet(
                parent_run.Run(step.within.lineage_run), parent_run.Job(NAMESPACE, job_name(step.within))
            )
        if fault is not None:
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(in_our_words(fault, settings), "PYTHON")
        return facets


def _job_facets(step: Step) -> dict[str, Any]:
    return {
        "jobType": job_type_job.JobTypeJobFacet("BATCH", "DTI", "STEP" if step.within is None else "PART"),
        "documentation": documentation_job.DocumentationJobFacet(JOBS[step.name][1]),
    }
