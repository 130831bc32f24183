"""What Prometheus sees of loads and watermarks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from math import nan
from typing import get_args

import structlog
from prometheus_client import Counter, Gauge, Histogram

from services.runtime.errors import ServiceError
from services.runtime.tracing.spans import describe
from services.warehouse.domain.loads import Dataset, Load

LOADS = Counter(
    "afin_warehouse_loads_total", "Loads by outcome: committed, replayed, refused or failed.", ["dataset", "outcome"]
)
LOAD_SECONDS = Histogram(
    "afin_warehouse_load_seconds",
    "Time of committed loads.",
    ["dataset"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
)
ROWS = Counter(
    "afin_warehouse_rows_total",
    "Rows of committed loads, by what they did to versions: a new one opened the first of its key, a changed one "
    "closed that and opened the next, a late one went inside history, an unchanged one did nothing; and companies "
    "retired.",
    ["dataset", "outcome"],
)
ERASED = Counter("afin_warehouse_erased_observations_total", "Observations removed with the clients that they were of.")
MISSING = Gauge(
    "afin_warehouse_missing_payments", "Current payments that the last full pass over the source did not show."
)
WATERMARK = Gauge(
    "afin_warehouse_watermark_timestamp_seconds", "The watermark: up to it the dataset is complete.", ["dataset"]
)
SCHEMA_FITS = Gauge(
    "afin_warehouse_schema_fits", "1 while the database is at the revision that this code needs or beyond, else 0."
)
# Until the database has answered.
SCHEMA_FITS.set(nan)
for _dataset, _outcome in product(get_args(Dataset), ("committed", "replayed", "refused", "failed")):
    LOADS.labels(_dataset, _outcome)
for _dataset, _outcome in product(get_args(Dataset), ("new", "changed", "unchanged", "late", "retired")):
    ROWS.labels(_dataset, _outcome)
for _dataset in get_args(Dataset):
    LOAD_SECONDS.labels(_dataset)

log = structlog.get_logger(__name__)


@contextmanager
def watched_load(dataset: Dataset) -> Iterator[Callable[[Load], None]]:
    """Around one load: counts its outcome, and what the yielded function is told of its rows."""
    started = time.perf_counter()

    def report(load: Load) -> None:
        outcome = "replayed" if load.replayed else "committed"
        LOADS.labels(dataset, outcome).inc()
        log.info("load done", dataset=dataset, load_id=load.load_id, rows=load.counts.rows, outcome=outcome)
        describe(dataset=dataset, outcome=outcome, rows=load.counts.rows, new=load.counts.new)
        if not load.replayed:
            LOAD_SECONDS.labels(dataset).observe(time.perf_counter() - started)
            _count_rows(load)

    try:
        yield report
    except ServiceError:
        LOADS.labels(dataset, "refused").inc()
        raise
    except BaseException:
        LOADS.labels(dataset, "failed").inc()
        raise


def _count_rows(load: Load) -> None:
    counts = load.counts
    outcomes = {"new": counts.new, "changed": counts.changed, "unchanged": counts.unchanged}
    for outcome, rows in {**outcomes, "late": counts.late, "retired": counts.retired}.items():
        ROWS.labels(load.dataset, outcome).inc(rows)
    if load.watermark:
        WATERMARK.labels(load.dataset).set(load.watermark.timestamp())
