"""The real warehouse on a real socket, put together as its __main__ does."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.warehouse.v1 import warehouse_pb2 as pb
from afin.warehouse.v1 import warehouse_pb2_grpc as rpc
from services.runtime.channels import open_channel
from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.objects.store import ObjectStore
from services.runtime.server import GrpcService, grpc_server
from services.warehouse.adapters.load_store import LOCK, PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.adapters.pass_keys import PassKeys
from services.warehouse.adapters.reads import PostgresReads
from services.warehouse.erasing import Erasures
from services.warehouse.migrations.history import head_revision
from services.warehouse.queries import Queries
from services.warehouse.reconciling import Reconciliations
from services.warehouse.servicer import FULL_NAME, WarehouseServicer
from services.warehouse.workflow import Loads
from tests.integration.ingest.indexer_server import PeerSettings

TIMEOUT = timedelta(seconds=30)


@dataclass(frozen=True)
class WarehouseServer:
    """A running warehouse and a client of it."""

    address: str
    stub: "rpc.WarehouseServiceAsyncStub"

    async def statistics(self) -> pb.GetStatisticsResponse:
        """What it holds."""
        return await self.stub.GetStatistics(pb.GetStatisticsRequest(), timeout=20)

    async def watermark(self) -> pb.GetWatermarkResponse:
        """Where it stands."""
        return await self.stub.GetWatermark(pb.GetWatermarkRequest(), timeout=20)

    async def missing(self, load_id: str) -> pb.ListMissingPaymentsResponse:
        """The report on a full pass."""
        return await self.stub.ListMissingPayments(pb.ListMissingPaymentsRequest(load_id=load_id), timeout=20)

    async def history(self, payment_id: str, company_code: str) -> list[pb.PaymentVersion]:
        """All versions of a payment."""
        request = pb.GetPaymentHistoryRequest(payment_id=payment_id, company_code=company_code)
        return list((await self.stub.GetPaymentHistory(request, timeout=20)).versions)


@asynccontextmanager
async def loads_waiting(engine: AsyncEngine) -> AsyncIterator[None]:
    """While open, no load of the warehouse comes to its end."""
    async with engine.begin() as connection:
        await connection.execute(text(LOCK))
        yield


@asynccontextmanager
async def warehouse_server(url: str, store: ObjectStore, port: int = 0) -> AsyncIterator[WarehouseServer]:
    """Serves until the context is left."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_database(url, "warehouse"))
        load_store = PostgresLoadStore(engine, TIMEOUT)
        loads = Loads(load_store, ParquetLake(store), 0.5, utc_now)
        reads = PostgresReads(engine, head_revision(), TIMEOUT)
        queries, reconciliations = Queries(reads, utc_now), Reconciliations(load_store, reads, PassKeys(store), utc_now)
        servicer = WarehouseServicer(loads, Erasures(load_store, utc_now), reconciliations, queries)
        register = partial(rpc.add_WarehouseServiceServicer_to_server, servicer)
        service = GrpcService(FULL_NAME, register, queries.check_ready)
        settings = PeerSettings(port=port, drain_seconds=0)
        bound = await stack.enter_async_context(grpc_server([service], settings))
        address = f"127.0.0.1:{bound}"
        channel = await stack.enter_async_context(open_channel(address))
        yield WarehouseServer(address, rpc.WarehouseServiceStub(channel))
