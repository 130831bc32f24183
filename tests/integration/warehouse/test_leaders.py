"""A leader of ingest that another one has followed changes nothing in the warehouse; a call by hand is not fenced."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import asyncpg
import pytest

from services.runtime.errors import FailedPrecondition
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.workflow import Loads
from tests.integration.warehouse.lake_writer import Company, put_companies, put_payments
from tests.integration.warehouse.oracle import EPOCH, Observation
from tests.integration.warehouse.tables import written_rows

Write = Callable[[Loads, LocalObjectStore, int], Awaitable[object]]
LATEST = "SELECT epoch FROM warehouse.latest_leader"


async def load_payments(loads: Loads, store: LocalObjectStore, epoch: int, load_id: str = "run-1") -> object:
    request = put_payments(store, load_id, [Observation("p1", "A", EPOCH)], watermark=EPOCH)
    return await loads.load_payments(replace(request, leader_epoch=epoch))


async def load_companies(loads: Loads, store: LocalObjectStore, epoch: int) -> object:
    request = put_companies(store, "run-2", [Company("A")])
    return await loads.load_companies(replace(request, leader_epoch=epoch))


async def record_companies(loads: Loads, _: LocalObjectStore, epoch: int) -> object:
    return await loads.record_companies_update("catalogue", epoch)


async def announce(loads: Loads, _: LocalObjectStore, epoch: int) -> object:
    await loads.announce_leader(epoch)
    return None


WRITES = pytest.mark.parametrize("write", [load_payments, load_companies, record_companies, announce])


@pytest.fixture(autouse=True)
async def catalogue(loads: Loads, object_store: LocalObjectStore) -> None:
    """One that was loaded by hand, and whose completeness nobody has recorded yet."""
    await loads.load_companies(put_companies(object_store, "catalogue", [Company("A")]))


@WRITES
async def test_a_leader_that_another_one_followed_is_refused_and_changes_nothing(
    loads: Loads, object_store: LocalObjectStore, connection: asyncpg.Connection, write: Write
) -> None:
    await loads.announce_leader(2)
    before = await written_rows(connection)

    with pytest.raises(FailedPrecondition, match="leader 1 was followed by leader 2") as refused:
        await write(loads, object_store, 1)

    assert refused.value.reason == "FENCED"
    assert (await written_rows(connection), await connection.fetchval(LATEST)) == (before, 2)


@WRITES
async def test_each_write_of_a_later_leader_shuts_out_the_earlier_ones(
    loads: Loads, object_store: LocalObjectStore, connection: asyncpg.Connection, write: Write
) -> None:
    await loads.announce_leader(2)

    await write(loads, object_store, 3)

    assert await connection.fetchval(LATEST) == 3


async def test_a_former_leader_is_refused_even_what_is_committed_already(
    loads: Loads, object_store: LocalObjectStore
) -> None:
    first = put_payments(object_store, "run-1", [Observation("p1", "A", EPOCH)])
    await loads.load_payments(replace(first, leader_epoch=1))
    await loads.announce_leader(2)

    with pytest.raises(FailedPrecondition, match="followed by"):
        await loads.load_payments(replace(first, leader_epoch=1))


async def test_the_latest_leader_may_write_again_and_again(loads: Loads, object_store: LocalObjectStore) -> None:
    write = partial(load_payments, loads, object_store, 2)

    await write("run-1")

    await write("run-3")


async def test_a_call_by_hand_is_not_fenced(
    loads: Loads, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    await loads.announce_leader(2)

    await load_payments(loads, object_store, 0)

    assert await connection.fetchval(LATEST) == 2


async def test_an_epoch_that_is_none_is_refused(loads: Loads, object_store: LocalObjectStore) -> None:
    with pytest.raises(Exception, match="leader_epoch: must be 0 or more"):
        await load_payments(loads, object_store, -1)
