"""Between protobuf messages and values."""

from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from afin.warehouse.v1 import warehouse_pb2 as pb
from services.runtime.errors import InvalidArgument
from services.runtime.timestamps import timestamp_of
from services.warehouse.domain.erasure import ErasureRequest
from services.warehouse.domain.history import CompanyVersion, PaymentVersion, Statistics, TrainingSummary
from services.warehouse.domain.loads import Load, LoadRequest
from services.warehouse.domain.reconciliation import Comparison, MissingPayment, MissingReport


def moment(message: Message, field: str) -> datetime | None:
    """A Timestamp field as an aware moment; None where it is not set, InvalidArgument where it is no moment."""
    if not message.HasField(field):
        return None
    try:
        timestamp: Timestamp = getattr(message, field)
        return timestamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument(field, "is no moment between the years 1 and 9999") from None


def payments_request(request: pb.LoadPaymentsRequest) -> LoadRequest:
    """The request as a value."""
    advance = moment(request, "advance_watermark_to")
    return LoadRequest(
        request.load_id, request.manifest_key, request.manifest_sha256, advance, leader_epoch=request.leader_epoch
    )


def companies_request(request: pb.LoadCompaniesRequest) -> LoadRequest:
    """The request as a value."""
    return LoadRequest(
        request.load_id,
        request.manifest_key,
        request.manifest_sha256,
        accept_fewer_companies=request.accept_fewer_companies,
        leader_epoch=request.leader_epoch,
    )


def erasure_request(request: pb.EraseClientRequest) -> ErasureRequest:
    """The request as a value."""
    created_until = moment(request, "created_until")
    if created_until is None:
        raise InvalidArgument("created_until", "must be set: what the client does later is a new client's")
    return ErasureRequest(request.erasure_id, request.salt, request.client_digest, created_until, request.leader_epoch)


def replacement(request: pb.ReplaceManifestRequest) -> LoadRequest:
    """The request as a value."""
    return LoadRequest(
        request.load_id, request.manifest_key, request.manifest_sha256, leader_epoch=request.leader_epoch
    )


def load_message(load: Load) -> pb.Load:
    """A ledger entry."""
    counts = load.counts
    return pb.Load(
        load_id=load.load_id,
        dataset=load.dataset,
        manifest_key=load.manifest_key,
        manifest_sha256=load.manifest_sha256,
        counts=pb.LoadCounts(
            rows=counts.rows,
            new=counts.new,
            changed=counts.changed,
            unchanged=counts.unchanged,
            late=counts.late,
            retired=counts.retired,
        ),
        committed_at=timestamp_of(load.committed_at),
        watermark=timestamp_of(load.watermark),
        replayed=load.replayed,
        sequence=load.sequence,
        update_sequence=load.update_sequence or 0,
    )


def comparison(request: pb.ReportMissingPaymentsRequest) -> Comparison:
    """The request as a value."""
    return Comparison(request.load_id, request.begun_sequence, request.leader_epoch)


def report_message(report: MissingReport) -> pb.MissingReport:
    """What a comparison found."""
    return pb.MissingReport(
        load_id=report.load_id,
        compared=report.compared,
        missing=report.missing,
        listed=report.listed,
        reported_at=timestamp_of(report.reported_at),
        replayed=report.replayed,
    )


def missing_message(payment: MissingPayment) -> pb.MissingPayment:
    """A payment by its key, without its client."""
    return pb.MissingPayment(
        payment_id=payment.payment_id,
        company_code=payment.company_code,
        updated_at=timestamp_of(payment.updated_at),
    )


def payment_message(version: PaymentVersion) -> pb.PaymentVersion:
    """One version of a payment."""
    return pb.PaymentVersion(
        payment_id=version.payment_id,
        company_code=version.company_code,
        payment_at=timestamp_of(version.payment_at),
        status=version.status,
        amount=f"{version.amount:.2f}",
        external_client_id=version.external_client_id,
        created_at=timestamp_of(version.created_at),
        start_date=timestamp_of(version.start_date),
        end_date=timestamp_of(version.end_date),
        recorded_at=timestamp_of(version.recorded_at),
        load_id=version.load_id,
    )


def company_message(version: CompanyVersion) -> pb.CompanyVersion:
    """One version of a company; what the source left out stays unset."""
    return pb.CompanyVersion(
        company_id=version.company_id,
        company_code=version.company_code,
        company_name=version.company_name,
        category_id=version.category_id,
        category_name=version.category_name,
        is_top_biller=version.is_top_biller,
        is_retired=version.is_retired,
        start_date=timestamp_of(version.start_date),
        end_date=timestamp_of(version.end_date),
        recorded_at=timestamp_of(version.recorded_at),
        load_id=version.load_id,
    )


def statistics_message(statistics: Statistics) -> pb.GetStatisticsResponse:
    """Sizes."""
    return pb.GetStatisticsResponse(
        current_payments=statistics.current_payments,
        payment_versions=statistics.payment_versions,
        clients=statistics.clients,
        current_companies=statistics.current_companies,
        retired_companies=statistics.retired_companies,
        company_versions=statistics.company_versions,
    )


def training_message(summary: TrainingSummary) -> pb.GetTrainingSummaryResponse:
    """What a training would read."""
    return pb.GetTrainingSummaryResponse(
        payments=summary.payments,
        clients=summary.clients,
        companies=summary.companies,
        first_payment_at=timestamp_of(summary.first_payment_at),
        last_payment_at=timestamp_of(summary.last_payment_at),
    )
