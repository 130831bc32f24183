"""What Prometheus hears of runs; labels are pipelines, steps and outcomes, all of them few."""

import time
from itertools import product
from math import nan

from prometheus_client import Counter, Gauge, Histogram

from services.contracts.feedback import KINDS
from services.ingest.domain.account import Account
from services.ingest.domain.runs import Pipeline, Run, RunState
from services.ingest.workflow.pipelines import PIPELINES

RUNS = Counter("afin_ingest_runs_total", "Runs ended.", ["pipeline", "outcome"])
RUN_SECONDS = Histogram(
    "afin_ingest_run_seconds",
    "Time of runs from their first start to their end, restarts of ingest included.",
    ["pipeline", "outcome"],
    buckets=(1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800),
)
STEPS = Counter(
    "afin_ingest_steps_total",
    "Steps ended; one that a restart breaks off goes on later.",
    ["pipeline", "step", "outcome"],
)
ROWS = Counter("afin_ingest_rows_total", "Rows of loaded runs, by what became of them.", ["pipeline", "outcome"])
STEP_SECONDS = Histogram(
    "afin_ingest_step_seconds",
    "Time of steps that succeeded.",
    ["pipeline", "step"],
    buckets=(0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600),
)
QUARANTINE = Gauge(
    "afin_ingest_quarantine_open_rows",
    "Rows that the newest loaded run of the pipeline refused, and no replay has taken up; told by the leader.",
    ["pipeline"],
)
SWEPT_OBJECTS = Counter("afin_ingest_swept_objects_total", "Objects removed that no manifest in force named.")
SWEPT_BYTES = Counter("afin_ingest_swept_bytes_total", "Their size.")
LAST_SUCCESS = Gauge(
    "afin_ingest_last_success_timestamp_seconds", "When a run of the pipeline last succeeded.", ["pipeline"]
)
DUE = Gauge(
    "afin_ingest_success_due_timestamp_seconds",
    "The first time of the pipeline's schedule since its last success; NaN while paused; told by the leader.",
    ["pipeline"],
)
LEADING = Gauge("afin_ingest_leading", "1 in the replica that works on runs and keeps schedules.")
REFRESHES = Counter(
    "afin_ingest_refreshes_total",
    "Calls that have the indexer tell what changed between indexes: done or failed.",
    ["outcome"],
)
for _outcome in ("done", "failed"):
    REFRESHES.labels(_outcome)
FEEDBACK_EVENTS = Counter(
    "afin_ingest_feedback_events_total",
    "Events of feedback taken, repeated ones included, by the variant that had answered: main or challenger.",
    ["kind", "variant"],
)
FEEDBACK_REFUSED = Counter("afin_ingest_feedback_refused_total", "Events of feedback refused, by the field.", ["field"])
for _field in ("recommendation_id", "company_code", "kind", "at"):
    FEEDBACK_REFUSED.labels(_field)
FEEDBACK_DAMAGED = Counter(
    "afin_ingest_feedback_damaged_parts_total",
    "Objects of feedback found damaged when they were to be merged; the log names them.",
)
HIT_SHARE = Gauge(
    "afin_ingest_feedback_hit_share",
    "Of the answers of the last seven days that were shown, those with a company paid afterwards; told by the leader.",
    ["variant"],
)
for _variant in ("main", "challenger"):
    HIT_SHARE.labels(_variant).set(nan)
for _kind, _variant in product(KINDS, ("main", "challenger")):
    FEEDBACK_EVENTS.labels(_kind, _variant)
ENDS = tuple(state.value for state in RunState if not state.is_active)
for _pipeline, _end in product(Pipeline, ENDS):
    RUNS.labels(_pipeline, _end)
    RUN_SECONDS.labels(_pipeline, _end)
    for _step in PIPELINES[_pipeline]:
        STEPS.labels(_pipeline, _step.name, _end)
        STEP_SECONDS.labels(_pipeline, _step.name)
for _pipeline in Pipeline:
    for _outcome in Account(0, 0, 0, 0, 0, 0).outcomes():
        ROWS.labels(_pipeline, _outcome)


def note_run(run: Run, outcome: RunState) -> None:
    """Counts a run that ended now."""
    RUNS.labels(run.pipeline, outcome).inc()
    if run.started_at:
        RUN_SECONDS.labels(run.pipeline, outcome).observe(time.time() - run.started_at.timestamp())
    if outcome is RunState.SUCCEEDED:
        LAST_SUCCESS.labels(run.pipeline).set_to_current_time()
