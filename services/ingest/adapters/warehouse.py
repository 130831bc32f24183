"""The service warehouse over gRPC."""

from datetime import UTC, datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from afin.warehouse.v1 import warehouse_pb2 as pb
from afin.warehouse.v1 import warehouse_pb2_grpc as rpc
from services.contracts.receipt import Receipt
from services.ingest.adapters.calls import CallPolicy, call
from services.ingest.workflow.errors import PeerRefused
from services.ingest.workflow.values import (
    ClientDigest,
    ErasedRows,
    LoadedRows,
    ManifestReference,
    MissingRows,
    ReconciliationStart,
    RecordedUpdate,
    Watermarks,
)
from services.runtime.failpoints import Failpoint, passing

PEER = "warehouse"


class WarehouseClient:
    """See services.ingest.workflow.ports.Warehouse. `epoch`: of the leader that it writes for; 0: it only reads."""

    def __init__(self, channel: grpc.aio.Channel, policy: CallPolicy, epoch: int = 0) -> None:
        self._stub: rpc.WarehouseServiceAsyncStub = rpc.WarehouseServiceStub(channel)
        self._policy = policy
        self._epoch = epoch
        self._short = policy.short.total_seconds()
        self._long = policy.long.total_seconds()

    async def announce_leader(self) -> None:
        """See Warehouse."""
        request = pb.AnnounceLeaderRequest(leader_epoch=self._epoch)
        await call(PEER, self._policy, lambda: self._stub.AnnounceLeader(request, timeout=self._long))

    async def watermarks(self) -> Watermarks:
        """See Warehouse."""
        request = pb.GetWatermarkRequest()
        answer = await call(PEER, self._policy, lambda: self._stub.GetWatermark(request, timeout=self._short))
        payments = _moment(answer.payments) if answer.HasField("payments") else None
        return Watermarks(payments, _moment(answer.companies) if answer.HasField("companies") else None)

    async def load_payments(self, load_id: str, manifest: ManifestReference, watermark: datetime | None) -> LoadedRows:
        """See Warehouse."""
        request = pb.LoadPaymentsRequest(
            load_id=load_id,
            manifest_key=manifest.key,
            manifest_sha256=manifest.sha256,
            leader_epoch=self._epoch,
        )
        if watermark is not None:
            request.advance_watermark_to.FromDatetime(watermark)
        passing(Failpoint.LOAD_REQUESTED)
        answer = await call(PEER, self._policy, lambda: self._stub.LoadPayments(request, timeout=self._long))
        passing(Failpoint.LOAD_ANSWERED)
        return _loaded(answer.load)

    async def load_companies(self, load_id: str, manifest: ManifestReference, *, accept_fewer: bool) -> LoadedRows:
        """See Warehouse."""
        request = pb.LoadCompaniesRequest(
            load_id=load_id,
            manifest_key=manifest.key,
            manifest_sha256=manifest.sha256,
            accept_fewer_companies=accept_fewer,
            leader_epoch=self._epoch,
        )
        passing(Failpoint.LOAD_REQUESTED)
        answer = await call(PEER, self._policy, lambda: self._stub.LoadCompanies(request, timeout=self._long))
        passing(Failpoint.LOAD_ANSWERED)
        return _loaded(answer.load)

    async def record_companies_update(self, load_id: str) -> RecordedUpdate:
        """See Warehouse."""
        request = pb.RecordCompaniesUpdateRequest(load_id=load_id, leader_epoch=self._epoch)
        answer = await call(PEER, self._policy, lambda: self._stub.RecordCompaniesUpdate(request, timeout=self._short))
        return RecordedUpdate(_moment(answer.companies), _receipt(answer.load))

    async def erase_client(self, erasure_id: str, client: ClientDigest, created_until: datetime) -> ErasedRows:
        """See Warehouse."""
        request = pb.EraseClientRequest(
            erasure_id=erasure_id, salt=client.salt, client_digest=client.digest, leader_epoch=self._epoch
        )
        request.created_until.FromDatetime(created_until)
        answer = await call(PEER, self._policy, lambda: self._stub.EraseClient(request, timeout=self._long))
        return ErasedRows(answer.versions, answer.confirmations)

    async def replace_manifest(self, load_id: str, manifest: ManifestReference) -> bool:
        """See Warehouse."""
        request = pb.ReplaceManifestRequest(
            load_id=load_id, manifest_key=manifest.key, manifest_sha256=manifest.sha256, leader_epoch=self._epoch
        )
        answer = await call(PEER, self._policy, lambda: self._stub.ReplaceManifest(request, timeout=self._short))
        return answer.replaced

    async def reconciliation_start(self) -> ReconciliationStart:
        """See Warehouse."""
        request = pb.GetReconciliationStartRequest()
        answer = await call(PEER, self._policy, lambda: self._stub.GetReconciliationStart(request, timeout=self._short))
        first = _moment(answer.first_updated_at) if answer.HasField("first_updated_at") else None
        return ReconciliationStart(first, answer.sequence)

    async def report_missing(self, load_id: str, begun_sequence: int) -> MissingRows:
        """See Warehouse."""
        request = pb.ReportMissingPaymentsRequest(
            load_id=load_id, begun_sequence=begun_sequence, leader_epoch=self._epoch
        )
        answer = await call(PEER, self._policy, lambda: self._stub.ReportMissingPayments(request, timeout=self._long))
        return MissingRows(answer.report.compared, answer.report.missing)

    async def find_load(self, load_id: str) -> LoadedRows | None:
        """See Warehouse."""
        request = pb.GetLoadRequest(load_id=load_id)
        try:
            answer = await call(PEER, self._policy, lambda: self._stub.GetLoad(request, timeout=self._short))
        except PeerRefused as refusal:
            if refusal.code is grpc.StatusCode.NOT_FOUND:
                return None
            raise
        return _loaded(answer.load)


def _loaded(load: pb.Load) -> LoadedRows:
    counts = load.counts
    return LoadedRows(
        rows=counts.rows,
        new=counts.new,
        changed=counts.changed,
        unchanged=counts.unchanged,
        late=counts.late,
        retired=counts.retired,
        replayed=load.replayed,
        watermark=_watermark(load),
        receipt=_receipt(load),
    )


def _receipt(load: pb.Load) -> Receipt:
    counts = load.counts
    return Receipt.model_validate(
        {
            "load_id": load.load_id,
            "dataset": load.dataset,
            "manifest_key": load.manifest_key,
            "manifest_sha256": load.manifest_sha256,
            "sequence": load.sequence,
            "update_sequence": load.update_sequence or None,
            "new": counts.new,
            "changed": counts.changed,
            "unchanged": counts.unchanged,
            "late": counts.late,
            "retired": counts.retired,
            "watermark": _watermark(load),
            "committed_at": _moment(load.committed_at),
        }
    )


def _watermark(load: pb.Load) -> datetime | None:
    return _moment(load.watermark) if load.HasField("watermark") else None


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
