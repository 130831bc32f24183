"""A load that was committed has its receipt in the end, though its run never came to write it."""

from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.receipt import receipt_place
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, eventually


async def receipts(store: LocalObjectStore) -> dict[str, bytes]:
    """Every receipt of the lake, by key."""
    return {info.key: store.get(info.key) for info in store.list("raw/") if receipt_place(info.key)}


async def loaded(ingest: Ingest, store: LocalObjectStore) -> dict[str, bytes]:
    """A catalogue, recorded, and payments; their three receipts."""
    await ingest.load_companies()
    await ingest.recommendations()
    kept = await receipts(store)
    assert len(kept) == 3
    return kept


async def test_the_next_leader_writes_the_receipts_of_runs_that_failed_after_their_load(
    serve: Serve, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    async with serve() as ingest:
        kept = await loaded(ingest, object_store)
    for key in kept:
        object_store.delete(key)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE ingest.runs SET state = 'failed'"))

    async with serve():
        assert await eventually(partial(receipts, object_store), lambda found: len(found) == 3) == kept


async def test_one_that_differs_is_left_and_does_not_hold_up_the_others(
    serve: Serve, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    async with serve() as ingest:
        kept = await loaded(ingest, object_store)
    catalogue, _, payments = sorted(kept)
    object_store.delete(payments)
    object_store.delete(catalogue.replace("receipt-0", "receipt-1"))
    object_store.delete(catalogue)
    object_store.put_if_absent(catalogue, b"something else")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE ingest.runs SET state = 'cancelled'"))

    async with serve():
        await eventually(partial(receipts, object_store), lambda found: payments in found)

    assert await receipts(object_store) == {catalogue: b"something else", payments: kept[payments]}
