"""The pipelines: named steps in order. A change of names or order ends runs that are under way: see the executor."""

from collections.abc import Mapping

from services.ingest.domain.runs import Pipeline
from services.ingest.workflow import companies, erasing, index, lake_erasing, payments, reconcile, replay
from services.ingest.workflow.saving import FULL_WINDOW_STEP, WINDOW_STEP
from services.ingest.workflow.steps import Step

PIPELINES: Mapping[Pipeline, tuple[Step, ...]] = {
    Pipeline.COMPANIES: (
        Step("save_companies", companies.save_companies),
        Step("update_last_companies_update", companies.update_last_companies_update),
    ),
    Pipeline.RECOMMENDATIONS: (
        Step("verify_bucket", payments.verify_bucket),
        Step("verify_companies", payments.verify_companies),
        Step(WINDOW_STEP, payments.get_last_payments_update),
        Step(payments.SAVE_STEP, payments.save_payments_to_bucket),
        Step("save_payments_to_db", payments.save_payments_to_db),
        Step("update_last_payments_update", payments.update_last_payments_update),
        Step(index.BUILD_STEP, index.create_payments_index),
        Step(index.PUBLISH_STEP, index.validate_payments_index),
    ),
    Pipeline.ERASURE: (
        Step("verify_bucket", payments.verify_bucket),
        Step(lake_erasing.STEP, lake_erasing.erase_from_lake),
        Step(erasing.LAST_STEP, erasing.erase_from_warehouse),
        Step(index.BUILD_STEP, erasing.create_payments_index),
        Step(index.PUBLISH_STEP, erasing.validate_payments_index),
    ),
    Pipeline.BACKFILL: (
        Step("verify_bucket", payments.verify_bucket),
        Step("verify_companies", payments.verify_companies),
        Step(payments.SAVE_STEP, payments.save_backfill_to_bucket),
        Step("save_payments_to_db", payments.save_backfill_to_db),
    ),
    Pipeline.REPLAY: (
        Step("verify_bucket", payments.verify_bucket),
        Step("verify_companies", payments.verify_companies),
        Step(replay.REPLAY_STEP, replay.replay_quarantine_to_bucket),
        Step("save_payments_to_db", replay.save_replayed_payments_to_db),
    ),
    Pipeline.RECONCILE: (
        Step("verify_bucket", payments.verify_bucket),
        Step("verify_companies", payments.verify_companies),
        Step(FULL_WINDOW_STEP, reconcile.get_first_payments_update),
        Step(payments.SAVE_STEP, reconcile.save_all_payments_to_bucket),
        Step("save_payments_to_db", reconcile.save_all_payments_to_db),
        Step("report_missing_payments", reconcile.report_missing_payments),
    ),
}


def step_names(pipeline: Pipeline) -> tuple[str, ...]:
    """The names of a pipeline's steps, in order."""
    return tuple(step.name for step in PIPELINES[pipeline])
