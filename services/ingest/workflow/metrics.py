"""What Prometheus hears of runs; labels are pipelines, steps and outcomes, all of them few."""

from prometheus_client import Counter, Gauge, Histogram

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
