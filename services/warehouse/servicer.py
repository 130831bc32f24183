"""WarehouseService over gRPC: messages in, a use case, messages out."""

# ruff: noqa: N802 - gRPC names the methods as the proto does

from typing import Any

from afin.warehouse.v1 import warehouse_pb2 as pb
from afin.warehouse.v1.warehouse_pb2_grpc import WarehouseServiceServicer
from services.runtime.timestamps import timestamp_of
from services.warehouse import conversion
from services.warehouse.erasing import Erasures
from services.warehouse.queries import PageRequest, Queries
from services.warehouse.reconciling import Reconciliations
from services.warehouse.workflow import Loads

FULL_NAME = pb.DESCRIPTOR.services_by_name["WarehouseService"].full_name


class WarehouseServicer(WarehouseServiceServicer):
    """Each method is its RPC; see warehouse.proto. Errors pass to the interceptor."""

    def __init__(self, loads: Loads, erasures: Erasures, reconciliations: Reconciliations, queries: Queries) -> None:
        self._loads = loads
        self._erasures = erasures
        self._reconciliations = reconciliations
        self._queries = queries

    async def AnnounceLeader(self, request: pb.AnnounceLeaderRequest, context: Any) -> pb.AnnounceLeaderResponse:
        """See warehouse.proto."""
        await self._loads.announce_leader(request.leader_epoch)
        return pb.AnnounceLeaderResponse()

    async def LoadPayments(self, request: pb.LoadPaymentsRequest, context: Any) -> pb.LoadPaymentsResponse:
        """See warehouse.proto."""
        load = await self._loads.load_payments(conversion.payments_request(request))
        return pb.LoadPaymentsResponse(load=conversion.load_message(load))

    async def LoadCompanies(self, request: pb.LoadCompaniesRequest, context: Any) -> pb.LoadCompaniesResponse:
        """See warehouse.proto."""
        load = await self._loads.load_companies(conversion.companies_request(request))
        return pb.LoadCompaniesResponse(load=conversion.load_message(load))

    async def RecordCompaniesUpdate(
        self, request: pb.RecordCompaniesUpdateRequest, context: Any
    ) -> pb.RecordCompaniesUpdateResponse:
        """See warehouse.proto."""
        watermark, load = await self._loads.record_companies_update(request.load_id, request.leader_epoch)
        message = conversion.load_message(load)
        return pb.RecordCompaniesUpdateResponse(companies=timestamp_of(watermark), load=message)

    async def EraseClient(self, request: pb.EraseClientRequest, context: Any) -> pb.EraseClientResponse:
        """See warehouse.proto."""
        erased = await self._erasures.erase_client(conversion.erasure_request(request))
        return pb.EraseClientResponse(
            versions=erased.versions, confirmations=erased.confirmations, erased_at=timestamp_of(erased.erased_at)
        )

    async def ReplaceManifest(self, request: pb.ReplaceManifestRequest, context: Any) -> pb.ReplaceManifestResponse:
        """See warehouse.proto."""
        replacement = conversion.replacement(request)
        return pb.ReplaceManifestResponse(replaced=await self._erasures.replace_manifest(replacement))

    async def GetReconciliationStart(
        self, request: pb.GetReconciliationStartRequest, context: Any
    ) -> pb.GetReconciliationStartResponse:
        """See warehouse.proto."""
        start = await self._reconciliations.start()
        first = timestamp_of(start.first_updated_at)
        return pb.GetReconciliationStartResponse(first_updated_at=first, sequence=start.sequence)

    async def ReportMissingPayments(
        self, request: pb.ReportMissingPaymentsRequest, context: Any
    ) -> pb.ReportMissingPaymentsResponse:
        """See warehouse.proto."""
        report = await self._reconciliations.report_missing(conversion.comparison(request))
        return pb.ReportMissingPaymentsResponse(report=conversion.report_message(report))

    async def ListMissingPayments(
        self, request: pb.ListMissingPaymentsRequest, context: Any
    ) -> pb.ListMissingPaymentsResponse:
        """See warehouse.proto."""
        wanted = PageRequest(request.page_size, request.page_token)
        report, page = await self._reconciliations.missing_payments(request.load_id, wanted)
        return pb.ListMissingPaymentsResponse(
            report=conversion.report_message(report),
            payments=[conversion.missing_message(payment) for payment in page.rows],
            next_page_token=page.next_token,
        )

    async def GetLoad(self, request: pb.GetLoadRequest, context: Any) -> pb.GetLoadResponse:
        """See warehouse.proto."""
        return pb.GetLoadResponse(load=conversion.load_message(await self._queries.load(request.load_id)))

    async def GetWatermark(self, request: pb.GetWatermarkRequest, context: Any) -> pb.GetWatermarkResponse:
        """See warehouse.proto."""
        watermarks = await self._queries.watermarks()
        return pb.GetWatermarkResponse(
            payments=timestamp_of(watermarks.get("payments")),
            companies=timestamp_of(watermarks.get("companies")),
        )

    async def GetStatistics(self, request: pb.GetStatisticsRequest, context: Any) -> pb.GetStatisticsResponse:
        """See warehouse.proto."""
        return conversion.statistics_message(await self._queries.statistics())

    async def GetTrainingSummary(
        self, request: pb.GetTrainingSummaryRequest, context: Any
    ) -> pb.GetTrainingSummaryResponse:
        """See warehouse.proto."""
        since = conversion.moment(request, "created_since")
        return conversion.training_message(await self._queries.training_summary(since, tuple(request.statuses)))

    async def GetPaymentHistory(
        self, request: pb.GetPaymentHistoryRequest, context: Any
    ) -> pb.GetPaymentHistoryResponse:
        """See warehouse.proto."""
        versions = await self._queries.payment_history(request.payment_id, request.company_code)
        return pb.GetPaymentHistoryResponse(versions=[conversion.payment_message(version) for version in versions])

    async def ListClientPayments(
        self, request: pb.ListClientPaymentsRequest, context: Any
    ) -> pb.ListClientPaymentsResponse:
        """See warehouse.proto."""
        as_of = conversion.moment(request, "as_of")
        wanted = PageRequest(request.page_size, request.page_token)
        page = await self._queries.client_payments(request.external_client_id, as_of, wanted)
        payments = [conversion.payment_message(version) for version in page.rows]
        return pb.ListClientPaymentsResponse(payments=payments, next_page_token=page.next_token)

    async def ListCompanies(self, request: pb.ListCompaniesRequest, context: Any) -> pb.ListCompaniesResponse:
        """See warehouse.proto."""
        wanted = PageRequest(request.page_size, request.page_token)
        page = await self._queries.companies(wanted, include_retired=request.include_retired, matching=request.matching)
        companies = [conversion.company_message(version) for version in page.rows]
        return pb.ListCompaniesResponse(companies=companies, next_page_token=page.next_token)

    async def GetCompanyHistory(
        self, request: pb.GetCompanyHistoryRequest, context: Any
    ) -> pb.GetCompanyHistoryResponse:
        """See warehouse.proto."""
        versions = await self._queries.company_history(request.company_code)
        return pb.GetCompanyHistoryResponse(versions=[conversion.company_message(version) for version in versions])
