"""From our records to protobuf messages."""

from collections.abc import Iterator

from afin.indexer.v1 import indexer_pb2
from services.contracts.bundle import Challenger, IndexManifest, Publication, Quality, TaskQuality
from services.contracts.validation import Comparison, PairedQuality, Turnover, Validation
from services.indexer.domain.retention import Why
from services.indexer.workflow.catalogue import VersionView
from services.indexer.workflow.refresh import Refreshed
from services.runtime.timestamps import timestamp_of

PRUNE_REASONS = {
    Why.OLD: indexer_pb2.PRUNE_REASON_OLD,
    Why.BEFORE_ERASURE: indexer_pb2.PRUNE_REASON_BEFORE_ERASURE,
    Why.UNFINISHED: indexer_pb2.PRUNE_REASON_UNFINISHED,
}


def version_message(view: VersionView) -> indexer_pb2.IndexVersion:
    """A version with all that is known of it; of a damaged manifest nothing is."""
    message = indexer_pb2.IndexVersion(
        version=view.version,
        built_at=timestamp_of(view.built_at),
        manifest_sha256=view.manifest_sha256,
        epoch=view.epoch,
        in_service=view.in_service,
        experiment=view.experiment,
        validation=validation_message(view.validation) if view.validation else None,
    )
    if view.manifest:
        message.MergeFrom(_manifest_part(view.manifest))
    return message


def validation_message(validation: Validation) -> indexer_pb2.Validation:
    """A validation with its checks."""
    checks = (indexer_pb2.Check(name=c.name, passed=c.passed, detail=c.detail) for c in validation.checks)
    return indexer_pb2.Validation(
        passed=validation.passed,
        validated_at=timestamp_of(validation.validated_at),
        checks=checks,
        drift=comparison_message(validation.drift) if validation.drift else None,
        override_reason=validation.override_reason,
    )


def comparison_message(comparison: Comparison) -> indexer_pb2.Comparison:
    """How a version differs from another."""
    return indexer_pb2.Comparison(
        base=comparison.base,
        base_training_payments=comparison.base_training_payments,
        training_payments=comparison.training_payments,
        clients=_turnover_message(comparison.clients),
        companies=_turnover_message(comparison.companies),
        indexed_companies=_turnover_message(comparison.indexed),
        popular_companies=_turnover_message(comparison.popular),
        new_companies=_paired_message(comparison.new) if comparison.new else None,
        any_company=_paired_message(comparison.any) if comparison.any else None,
        sample_clients=comparison.overlap_clients,
        new_overlap=comparison.overlap_new or 0.0,
        any_overlap=comparison.overlap_any or 0.0,
    )


def setting_changes(base: VersionView, version: VersionView) -> Iterator[indexer_pb2.SettingChange]:
    """Parameters of two builds that are not the same."""
    before, after = (view.manifest.parameters if view.manifest else {} for view in (base, version))
    for name in sorted(before.keys() | after.keys()):
        old, new = str(before.get(name, "")), str(after.get(name, ""))
        if old != new:
            yield indexer_pb2.SettingChange(name=name, base=old, version=new)


def pruned_message(pruned: tuple[str, Why]) -> indexer_pb2.PrunedIndexVersion:
    """A version that was removed, or would be."""
    version, why = pruned
    return indexer_pb2.PrunedIndexVersion(version=version, reason=PRUNE_REASONS[why])


def publication_message(publication: Publication) -> indexer_pb2.Publication:
    """A publication."""
    return indexer_pb2.Publication(
        epoch=publication.epoch,
        version=publication.version,
        published_at=timestamp_of(publication.published_at),
        reason=publication.reason,
        experiment=_experiment_message(publication.challenger) if publication.challenger else None,
    )


def _experiment_message(challenger: Challenger) -> indexer_pb2.Experiment:
    return indexer_pb2.Experiment(
        name=challenger.experiment,
        version=challenger.version,
        share=challenger.share,
        since_epoch=challenger.since,
    )


def _manifest_part(manifest: IndexManifest) -> indexer_pb2.IndexVersion:
    return indexer_pb2.IndexVersion(
        companies=manifest.companies,
        indexed_companies=manifest.indexed,
        clients=manifest.clients,
        training_payments=manifest.training_payments,
        dimension=manifest.dimension,
        watermark=timestamp_of(manifest.watermark),
        first_payment_at=timestamp_of(manifest.first_payment_at),
        last_payment_at=timestamp_of(manifest.last_payment_at),
        quality=_quality_message(manifest.quality) if manifest.quality else None,
        size_bytes=manifest.size,
        code_version=manifest.code_version,
    )


def refreshed_message(done: Refreshed) -> indexer_pb2.RefreshedHistories:
    """What came of refreshing a version."""
    return indexer_pb2.RefreshedHistories(
        version=done.version,
        outcome=indexer_pb2.RefreshOutcome.Value(f"REFRESH_OUTCOME_{done.outcome.name}"),
        changed_clients=done.changed,
        clients=done.clients,
        barred_companies=done.barred,
        changed_at=timestamp_of(done.changed_at) if done.changed_at else None,
        detail=done.detail,
    )


def _quality_message(quality: Quality) -> indexer_pb2.Quality:
    return indexer_pb2.Quality(
        new_companies=_task_message(quality.new) if quality.new else None,
        any_company=_task_message(quality.any) if quality.any else None,
        k=quality.k,
        cut=timestamp_of(quality.cut),
    )


def _task_message(quality: TaskQuality) -> indexer_pb2.TaskQuality:
    return indexer_pb2.TaskQuality(
        ndcg=quality.ndcg,
        recall=quality.recall,
        hit=quality.hit,
        coverage=quality.coverage,
        popularity_ndcg=quality.popularity_ndcg,
        ndcg_low=quality.ndcg_low,
        ndcg_high=quality.ndcg_high,
        clients=quality.clients,
    )


def _turnover_message(turnover: Turnover) -> indexer_pb2.Turnover:
    return indexer_pb2.Turnover(**turnover.model_dump())


def _paired_message(paired: PairedQuality) -> indexer_pb2.PairedQuality:
    return indexer_pb2.PairedQuality(**paired.model_dump())
