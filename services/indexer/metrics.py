"""What Prometheus is told of builds, validations and the index in service."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from services.contracts.bundle import IndexManifest, Publication
from services.contracts.validation import Validation

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
EPOCH = Gauge("afin_index_epoch", "Newest epoch of the index.")
CHALLENGER_SHARE = Gauge("afin_index_challenger_share", "Share of clients of the running experiment; 0 without one.")
COMPANIES = Gauge("afin_index_companies", "Companies in the catalogue of the index in service.")
NDCG = Gauge("afin_index_quality_ndcg", "NDCG@10 of the index in service on its hold-out.", ["task"])


REFRESHES = Counter("afin_indexer_refreshes_total", "Refreshings of a version in service that ended.", ["outcome"])
FRESH_CLIENTS = Gauge("afin_indexer_fresh_clients", "Clients whose histories are told beside the index in service.")
FRESH_CHANGED = Gauge(
    "afin_indexer_fresh_changed_timestamp_seconds", "Commit of the newest load that changed one of them; 0 without any."
)


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
    CHALLENGER_SHARE.set(publication.challenger.share if publication.challenger else 0.0)


def show_main(manifest: IndexManifest) -> None:
    """Tells of the main version that is in service now."""
    COMPANIES.set(manifest.companies)
    quality = manifest.quality
    for task, found in (("new", quality and quality.new), ("any", quality and quality.any)):
        NDCG.labels(task).set(found.ndcg if found else float("nan"))


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
