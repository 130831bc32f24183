"""Health tells whether the service can do its work, not whether it is busy."""

import asyncio

import asyncpg

from afin.warehouse.v1 import warehouse_pb2 as pb
from afin.warehouse.v1.warehouse_pb2_grpc import WarehouseServiceStub
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.load_store import LOCK
from tests.integration.warehouse.lake_writer import put_payments
from tests.integration.warehouse.oracle import EPOCH, Observation
from tests.integration.warehouse.serving import NOT_SERVING, PATIENCE, SERVING, health, serving

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


async def test_callers_that_hold_every_connection_do_not_make_the_service_unready(
    connection: asyncpg.Connection, warehouse_url: str, object_store: LocalObjectStore
) -> None:
    request = put_payments(object_store, "run-1", [Observation("p1", "A", EPOCH)])
    asked = pb.LoadPaymentsRequest(
        load_id="run-1", manifest_key=request.manifest_key, manifest_sha256=request.manifest_sha256
    )
    async with serving(warehouse_url, object_store._root, connections=2) as channel:
        await health(channel, SERVING)
        async with connection.transaction():
            await connection.execute(LOCK)
            load = asyncio.ensure_future(WarehouseServiceStub(channel).LoadPayments(asked, timeout=PATIENCE))
            async with asyncio.timeout(PATIENCE):
                while not await connection.fetchval(WAITING):
                    pass
            # To see that it is still looked at: unready, and ready again, while the load holds the one connection.
            await _rename_schema_version(warehouse_url, "schema_version", "hidden")
            await health(channel, NOT_SERVING)
            await _rename_schema_version(warehouse_url, "hidden", "schema_version")
            await health(channel, SERVING)
            assert not load.done()
        assert (await load).load.counts.new == 1


async def _rename_schema_version(url: str, name: str, to: str) -> None:
    other = await asyncpg.connect(url)
    try:
        await other.execute(f"ALTER TABLE warehouse.{name} RENAME TO {to}")
    finally:
        await other.close()
