"""What Prometheus hears of runs; labels are pipelines, steps and outcomes, all of them few."""

from itertools import product
from math import nan

from prometheus_client import Counter, Gauge, Histogram

from services.contracts.feedback import KINDS

RUNS = Counter("afin_ingest_runs_total", "Runs ended.", ["pipeline", "outcome"])
ROWS = Counter("afin_ingest_rows_total", "Rows of loaded runs, by what became of them.", ["pipeline", "outcome"])
STEP_SECONDS = Histogram(
    "afin_ingest_step_seconds",
    "Time of steps that succeeded.",
    ["pipeline", "step"],
    buckets=(0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600),
)
SWEPT_OBJECTS = Counter("afin_ingest_swept_objects_total", "Objects removed that no manifest in force named.")
SWEPT_BYTES = Counter("afin_ingest_swept_bytes_total", "Their size.")
LAST_SUCCESS = Gauge(
    "afin_ingest_last_success_timestamp_seconds", "When a run of the pipeline last succeeded.", ["pipeline"]
)
REFRESHES = Counter(
    "afin_ingest_refreshes_total",
    "Calls that have the indexer tell what changed between indexes: done or failed.",
    ["outcome"],
)
for _outcome in ("done", "failed"):
    REFRESHES.labels(_outcome)
FEEDBACK_EVENTS = Counter(
    "afin_feedback_events_total",
    "Events of feedback taken, repeated ones included, by the variant that had answered: main or challenger.",
    ["kind", "variant"],
)
FEEDBACK_REFUSED = Counter("afin_feedback_refused_total", "Events of feedback refused, by what was wrong.", ["field"])
for _field in ("recommendation_id", "company_code", "kind", "at"):
    FEEDBACK_REFUSED.labels(_field)
FEEDBACK_DAMAGED = Counter(
    "afin_feedback_damaged_parts_total",
    "Objects of feedback found damaged when they were to be merged; the log names them.",
)
HIT_SHARE = Gauge(
    "afin_feedback_hit_share",
    "Of the answers of the last seven days that were shown, those with a company paid afterwards; told by the leader.",
    ["variant"],
)
for _variant in ("main", "challenger"):
    HIT_SHARE.labels(_variant).set(nan)
for _kind, _variant in product(KINDS, ("main", "challenger")):
    FEEDBACK_EVENTS.labels(_kind, _variant)
