"""The service indexer over gRPC."""

from collections.abc import Callable

import grpc

from afin.indexer.v1 import indexer_pb2 as pb
from afin.indexer.v1 import indexer_pb2_grpc as rpc
from services.ingest.adapters.calls import CallPolicy, call
from services.ingest.workflow.errors import PeerRefused
from services.ingest.workflow.values import BuiltIndex, Verdict

PEER = "indexer"


class IndexerClient:
    """See services.ingest.workflow.ports.Indexer."""

    def __init__(self, channel: grpc.aio.Channel, policy: CallPolicy) -> None:
        self._stub: rpc.IndexerServiceAsyncStub = rpc.IndexerServiceStub(channel)
        self._policy = policy
        self._long = policy.long.total_seconds()

    async def build(self, build_id: str, on_stage: Callable[[str, str], None]) -> BuiltIndex:
        """See Indexer."""
        return await call(PEER, self._policy, lambda: self._build(build_id, on_stage))

    async def validate_and_publish(self, version: str) -> Verdict:
        """See Indexer."""
        request = pb.ValidateIndexRequest(version=version, publish=True)
        answer = await call(PEER, self._policy, lambda: self._stub.ValidateIndex(request, timeout=self._long))
        failed = tuple(f"{check.name}: {check.detail}" for check in answer.validation.checks if not check.passed)
        epoch = answer.publication.epoch if answer.HasField("publication") else None
        drift = _told(answer.validation.drift) if answer.validation.HasField("drift") else ""
        return Verdict(answer.validation.passed, failed, epoch, drift)

    async def refresh_histories(self) -> None:
        """See Indexer."""
        request = pb.RefreshHistoriesRequest()
        await call(PEER, self._policy, lambda: self._stub.RefreshHistories(request, timeout=self._long))

    async def _build(self, build_id: str, on_stage: Callable[[str, str], None]) -> BuiltIndex:
        stages = self._stub.BuildIndex(pb.BuildIndexRequest(build_id=build_id), timeout=self._long)
        built: pb.IndexVersion | None = None
        async for message in stages:
            if message.stage:
                on_stage(message.stage, message.detail)
            if message.HasField("index_version"):
                built = message.index_version
        if built is None:
            raise PeerRefused(grpc.StatusCode.INTERNAL, "the indexer ended the build without an index version")
        return BuiltIndex(
            version=built.version,
            companies=built.companies,
            indexed_companies=built.indexed_companies,
            clients=built.clients,
            training_payments=built.training_payments,
        )


def _told(drift: pb.Comparison) -> str:
    """Against what was in service, in one line."""
    companies, clients = drift.companies, drift.clients
    payments = drift.training_payments - drift.base_training_payments
    return (
        f"against {drift.base}: {payments:+,} training payments, clients +{clients.came:,} -{clients.went:,}, "
        f"companies +{companies.came:,} -{companies.went:,}, {drift.new_overlap:.0%} of new and "
        f"{drift.any_overlap:.0%} of all recommendations to {drift.sample_clients} clients are the same"
    )
