"""A pass that was broken off goes on where it kept its place, with what it had stored."""

import asyncio
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from afin.ingest.v1 import ingest_pb2 as pb
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, step_of
from tests.integration.ingest.source_server import NOW, SourceServer, payment, status
from tests.integration.ingest.warehouse_server import WarehouseServer

ROWS = 200
STEP = "save_payments_to_bucket"
BREAK = 100


@pytest.fixture(autouse=True)
def many_payments(source: SourceServer) -> None:
    """More payments than fit into a page, of a source that goes no further than some of them."""
    source.payments = [payment(number) for number in range(ROWS)]
    source.beyond = (BREAK, status(404))


@pytest.fixture
def serving(serve: Serve) -> partial[AbstractAsyncContextManager[Ingest]]:
    """An ingest that reads small pages and keeps its place often."""
    return partial(serve, page_limit=20, pages_in_flight=3, checkpoint_rows=30)


async def broken_off(ingest: Ingest, last_day: str = NOW.date().isoformat()) -> pb.Run:
    """A backfill that failed half-way."""
    await ingest.load_companies()
    run = await ingest.end_of((await ingest.backfill("2026-01-01", last_day)).run_id)
    assert run.state == pb.RUN_STATE_FAILED, run
    return run


async def gone_on(ingest: Ingest, source: SourceServer, run: pb.Run) -> tuple[pb.Run, list[int]]:
    """The run, retried with a source that behaves; and the offsets that it asked for."""
    source.beyond = None
    source.requests.clear()
    await ingest.retry(run.run_id)
    ended = await ingest.end_of(run.run_id)
    assert ended.state == pb.RUN_STATE_SUCCEEDED, ended
    return ended, [int(request["offset"]) for request in source.requests]


async def test_a_failed_pass_goes_on_where_it_was_and_counts_all_of_its_rows(
    serving: Serve, source: SourceServer, warehouse: WarehouseServer, object_store: LocalObjectStore
) -> None:
    async with serving() as ingest:
        ended, offsets = await gone_on(ingest, source, await broken_off(ingest))

    assert min(offsets) >= BREAK - 40
    assert (ended.account.read, ended.account.new) == (ROWS, ROWS)
    assert (await warehouse.statistics()).current_payments == ROWS
    parts = [info.key.rpartition("/")[2] for info in object_store.list("raw/payments/")]
    assert {name[: len("part-01")] for name in parts if name.startswith("part")} == {"part-01", "part-02"}


async def test_a_backfill_keeps_its_place_among_rows_of_other_days_too(serving: Serve, source: SourceServer) -> None:
    async with serving() as ingest:
        ended, offsets = await gone_on(ingest, source, await broken_off(ingest, "2026-01-02"))

    assert min(offsets) >= BREAK - 40
    assert step_of(ended, STEP).counts["out_of_range"] == ROWS


async def test_a_process_that_was_stopped_is_followed_by_one_that_goes_on(
    serving: Serve, source: SourceServer, warehouse: WarehouseServer
) -> None:
    reached, done = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        reached.set()
        await done.wait()
        return web.Response(status=404)

    source.beyond = (BREAK, hang)
    async with serving() as first:
        await first.load_companies()
        run = await first.backfill("2026-01-01", NOW.date().isoformat())
        await first.seen(run.run_id, lambda found: step_of(found, STEP).counts.get("read", 0) >= BREAK - 20)
        await reached.wait()
    source.beyond = None
    source.requests.clear()
    done.set()

    async with serving() as second:
        ended = await second.end_of(run.run_id)

    assert (ended.state, ended.account.new) == (pb.RUN_STATE_SUCCEEDED, ROWS)
    assert min(int(request["offset"]) for request in source.requests) > 0
    assert (await warehouse.statistics()).current_payments == ROWS


async def test_rows_that_vanished_meanwhile_make_it_step_back_and_miss_nothing(
    serving: Serve, source: SourceServer, warehouse: WarehouseServer
) -> None:
    async with serving() as ingest:
        run = await broken_off(ingest)
        del source.payments[10:BREAK]
        ended, offsets = await gone_on(ingest, source, run)

    assert min(offsets) == 0
    # Those that were read before they vanished, and all that are left.
    assert (await warehouse.statistics()).current_payments == ended.account.new
    assert ended.account.new >= ROWS - (BREAK - 10)


async def test_a_pass_whose_parts_are_gone_begins_anew(serving: Serve, source: SourceServer, tmp_path: Path) -> None:
    async with serving() as ingest:
        run = await broken_off(ingest)
        next((tmp_path / "objects").glob("raw/payments/**/part-01-00000.parquet")).unlink()
        ended, offsets = await gone_on(ingest, source, run)

    assert offsets[0] == 0
    assert (ended.account.read, ended.account.new) == (ROWS, ROWS)


async def test_refused_rows_of_both_attempts_are_in_one_account(serving: Serve, source: SourceServer) -> None:
    for number in (5, 150):
        source.payments[number]["amount"] = "much"
    async with serving() as ingest:
        run = await broken_off(ingest)
        ended, _ = await gone_on(ingest, source, run)
        listed = await ingest.quarantined(run.run_id)

    assert (ended.account.read, ended.account.new, ended.account.quarantined) == (ROWS, ROWS - 2, 2)
    assert len(listed.rows) == 2
