"""What Prometheus is told of builds, validations and the index in service."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import product
from math import nan

from prometheus_client import Counter, Gauge, Histogram

from services.contracts.bundle import IndexManifest, Publication
from services.contracts.validation import Validation
from services.indexer.domain.evaluation import TASKS
from services.indexer.domain.freshening import Outcome
from services.indexer.domain.gate import OVERRIDABLE
from services.indexer.domain.retention import Why
from services.indexer.domain.soundness import CHECKS

BUILDS = Counter("afin_indexer_builds_total", "Builds that ended.", ["outcome"])
STAGE_SECONDS = Histogram(
    "afin_indexer_build_stage_seconds",
    "Time of the stages of builds.",
    ["stage"],
    buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000),
)
VALIDATIONS = Counter("afin_indexer_validations_total", "Validations that ended.", ["outcome"])
FAILED_CHECKS = Counter("afin_indexer_failed_checks_total", "Checks of validations that failed.", ["check"])
OVERRIDES = Counter("afin_indexer_overrides_total", "Validations that failed and were overridden by a person.")
PRUNED = Counter("afin_indexer_pruned_versions_total", "Index versions that were removed.", ["why"])
EPOCH = Gauge("afin_indexer_index_epoch", "Newest epoch of the index; 0 before the first.")
CHALLENGER_SHARE = Gauge("afin_indexer_challenger_share", "Share of clients of the running experiment; 0 without one.")
PUBLISHED = Gauge("afin_indexer_index_published_timestamp_seconds", "When the index in service was published.")
BUILT = Gauge("afin_indexer_index_built_timestamp_seconds", "End of the newest build that made the index in service.")
WATERMARK = Gauge(
    "afin_indexer_index_watermark_timestamp_seconds", "Up to when the index in service knows payments; 0: not known."
)
COMPANIES = Gauge("afin_indexer_index_companies", "Companies in the catalogue of the index in service.")
INDEXED = Gauge("afin_indexer_index_indexed_companies", "Those of them that the model can recommend.")
CLIENTS = Gauge("afin_indexer_index_clients", "Clients whose histories are in the index in service.")
PAYMENTS = Gauge("afin_indexer_index_training_payments", "Payments that the index in service was trained on.")
SIZE = Gauge("afin_indexer_index_size_bytes", "All files of the index in service.")
NDCG = Gauge("afin_indexer_index_ndcg", "NDCG@10 of the index in service on its hold-out.", ["task"])
POPULARITY_NDCG = Gauge(
    "afin_indexer_index_popularity_ndcg", "The same of the popular companies, for the same clients.", ["task"]
)
RECALL = Gauge("afin_indexer_index_recall", "Recall@10 of the index in service on its hold-out.", ["task"])
COVERAGE = Gauge("afin_indexer_index_coverage", "Share of companies that were in a list of the hold-out.", ["task"])
QUALITIES = {"ndcg": NDCG, "popularity_ndcg": POPULARITY_NDCG, "recall": RECALL, "coverage": COVERAGE}
REFRESHES = Counter("afin_indexer_refreshes_total", "Refreshings of a version in service that ended.", ["outcome"])
FRESH_CLIENTS = Gauge("afin_indexer_fresh_clients", "Clients whose histories are told beside the index in service.")
FRESH_CHANGED = Gauge(
    "afin_indexer_fresh_changed_timestamp_seconds", "Commit of the newest load that changed one of them; 0 without any."
)
for _outcome in ("built", "recorded", "failed", "cancelled"):
    BUILDS.labels(_outcome)
for _outcome in ("passed", "failed"):
    VALIDATIONS.labels(_outcome)
for _check in ("manifest", *CHECKS, *sorted(OVERRIDABLE)):
    FAILED_CHECKS.labels(_check)
for _why in Why:
    PRUNED.labels(_why.name.lower())
for _refreshed in Outcome:
    REFRESHES.labels(_refreshed.name.lower())
for _task, _quality in product(TASKS, QUALITIES.values()):
    _quality.labels(_task).set(nan)


@contextmanager
def counted_build() -> Iterator[None]:
    """Counts how a build ended."""
    outcome = "failed"
    try:
        yield
        outcome = "built"
    except (asyncio.CancelledError, GeneratorExit):
        outcome = "cancelled"
        raise
    finally:
        BUILDS.labels(outcome).inc()


def show_publication(publication: Publication) -> None:
    """Tells of the newest epoch, and of the experiment that it runs."""
    EPOCH.set(publication.epoch)
    PUBLISHED.set(publication.published_at.timestamp())
    CHALLENGER_SHARE.set(publication.challenger.share if publication.challenger else 0.0)


def show_main(manifest: IndexManifest, built_at: datetime | None) -> None:
    """Tells of the main version that is in service now; `built_at`: when it was last built, None: nobody knows."""
    COMPANIES.set(manifest.companies)
    INDEXED.set(manifest.indexed)
    CLIENTS.set(manifest.clients)
    PAYMENTS.set(manifest.training_payments)
    SIZE.set(manifest.size)
    BUILT.set(built_at.timestamp() if built_at else 0)
    WATERMARK.set(manifest.watermark.timestamp() if manifest.watermark else 0)
    for task in TASKS:
        found = getattr(manifest.quality, task) if manifest.quality else None
        for figure, gauge in QUALITIES.items():
            gauge.labels(task).set(getattr(found, figure) if found else nan)


def note_validation(validation: Validation) -> None:
    """Counts how a validation ended."""
    VALIDATIONS.labels("passed" if validation.passed else "failed").inc()
    for check in validation.failed:
        FAILED_CHECKS.labels(check.name).inc()
    if validation.override_reason:
        OVERRIDES.inc()


def show_fresh(clients: int, changed_at: datetime | None) -> None:
    """Tells what is told beside the main version in service."""
    FRESH_CLIENTS.set(clients)
    FRESH_CHANGED.set(changed_at.timestamp() if changed_at else 0)
