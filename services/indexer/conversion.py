"""From our records to protobuf messages."""

from afin.indexer.v1 import indexer_pb2
from services.contracts.bundle import IndexManifest, Publication, Quality, TaskQuality, Validation
from services.indexer.workflow.catalogue import VersionView
from services.runtime.timestamps import timestamp_of


def version_message(view: VersionView) -> indexer_pb2.IndexVersion:
    """A version with all that is known of it; of a damaged manifest nothing is."""
    message = indexer_pb2.IndexVersion(
        version=view.version,
        built_at=timestamp_of(view.built_at),
        manifest_sha256=view.manifest_sha256,
        epoch=view.epoch,
        in_service=view.in_service,
        validation=validation_message(view.validation) if view.validation else None,
    )
    if view.manifest:
        message.MergeFrom(_manifest_part(view.manifest))
    return message


def validation_message(validation: Validation) -> indexer_pb2.Validation:
    """A validation with its checks."""
    checks = (indexer_pb2.Check(name=c.name, passed=c.passed, detail=c.detail) for c in validation.checks)
    return indexer_pb2.Validation(
        passed=validation.passed, validated_at=timestamp_of(validation.validated_at), checks=checks
    )


def publication_message(publication: Publication) -> indexer_pb2.Publication:
    """A publication."""
    return indexer_pb2.Publication(
        epoch=publication.epoch,
        version=publication.version,
        published_at=timestamp_of(publication.published_at),
        reason=publication.reason,
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
