"""The warehouse's process: `python -m services.warehouse`, with settings WAREHOUSE_…."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

from afin.warehouse.v1.warehouse_pb2_grpc import add_WarehouseServiceServicer_to_server
from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.lifecycle import run_until_stopped
from services.runtime.objects.opening import open_object_store
from services.runtime.server import GrpcService, grpc_server
from services.runtime.settings import load_settings
from services.runtime.telemetry import telemetry
from services.warehouse.access import RPCS
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.adapters.pass_keys import PassKeys
from services.warehouse.adapters.reads import PostgresReads
from services.warehouse.erasing import Erasures
from services.warehouse.migrations.history import head_revision
from services.warehouse.queries import Queries
from services.warehouse.reconciling import Reconciliations
from services.warehouse.servicer import FULL_NAME, WarehouseServicer
from services.warehouse.settings import WarehouseSettings
from services.warehouse.workflow import Loads


async def start(settings: WarehouseSettings, stop: asyncio.Event) -> None:
    """Serves until `stop`. Neither database nor object store need be there yet: health tells when they are."""
    store = open_object_store(settings.object_store_url, settings.object_store_endpoint_url)
    async with AsyncExitStack() as stack:
        url = settings.database_url.get_secret_value()
        # One connection stays apart for health: callers that hold all others make the service busy, not unfit.
        engine = await stack.enter_async_context(open_database(url, "warehouse", settings.database_connections - 1))
        checking = await stack.enter_async_context(open_database(url, "warehouse-health", pool_size=1))
        load_store = PostgresLoadStore(engine, timedelta(seconds=settings.load_timeout_seconds))
        loads = Loads(load_store, ParquetLake(store), settings.min_catalogue_share, utc_now)
        reads, health_reads = (
            PostgresReads(each, head_revision(), timedelta(seconds=settings.read_timeout_seconds))
            for each in (engine, checking)
        )
        queries, health = Queries(reads, utc_now), Queries(health_reads, utc_now)
        reconciliations = Reconciliations(load_store, reads, PassKeys(store), utc_now)
        servicer = WarehouseServicer(loads, Erasures(load_store, utc_now), reconciliations, queries)
        register = partial(add_WarehouseServiceServicer_to_server, servicer)
        service = GrpcService(FULL_NAME, register, health.check_ready, RPCS)
        await stack.enter_async_context(grpc_server([service], settings))
        await stop.wait()


def main() -> None:
    """Reads settings, then runs until SIGTERM or SIGINT."""
    settings = load_settings(WarehouseSettings)
    with telemetry("warehouse", settings):
        run_until_stopped(partial(start, settings))


if __name__ == "__main__":
    main()
