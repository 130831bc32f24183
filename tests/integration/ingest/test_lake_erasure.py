"""An erasure takes the client out of the lake, and out of whatever could bring the client back from there."""

import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, step_of
from tests.integration.ingest.source_server import SourceServer, payment, status
from tests.integration.ingest.test_erasure import CLIENT, erase, record, request
from tests.integration.ingest.traces import lake_rows, rows_of_others, traces
from tests.integration.ingest.warehouse_server import WarehouseServer

# Refused, each for another reason; those of the client are to be found by their texts alone.
BAD: list[dict[str, Any]] = [
    payment(30, external_client_id=CLIENT, amount="much"),
    payment(31, external_client_id=[CLIENT]),
    payment(32, external_client_id={"x": f" {CLIENT} "}),
    payment(33, external_client_id="client-1", amount="much"),
    payment(34, external_client_id=None),
]
# Of the oldest window: the first that an erasure looks at.
DAMAGED = "raw/payments/updated_date=2020-01-01/run=00000000-0000-0000-0000-000000000001/manifest-01.json"


@pytest.fixture
async def loaded(ingest: Ingest, source: SourceServer) -> Ingest:
    """An ingest with two runs in its lake: twenty payments, then the same and five refused rows."""
    await ingest.load_companies()
    await ingest.recommendations()
    source.payments += BAD
    run = await ingest.recommendations()
    assert (run.account.unchanged, run.account.quarantined) == (20, 5), run
    return ingest


async def test_no_table_and_no_object_holds_the_client_and_the_rows_of_others_are_as_before(
    loaded: Ingest, url: str, object_store: LocalObjectStore
) -> None:
    assert len(await traces(url, object_store, CLIENT)) == 1 + 3
    table, raw = await rows_of_others(url, CLIENT), _of_others(lake_rows(object_store, "raw"))
    quarantine = _of_others(lake_rows(object_store, "quarantine"))

    erasure = await erase(loaded)

    assert await traces(url, object_store, CLIENT) == []
    assert await rows_of_others(url, CLIENT) == table
    assert (lake_rows(object_store, "raw"), lake_rows(object_store, "quarantine")) == (raw, quarantine)
    assert (erasure.versions, erasure.objects, erasure.rows, erasure.quarantined) == (3, 3, 6, 3)


async def test_refused_rows_of_others_can_still_be_listed(loaded: Ingest) -> None:
    run = (await loaded.list(size=1)).runs[0]

    await erase(loaded)

    rows = (await loaded.quarantined(run.run_id)).rows
    assert sorted(row.reason for row in rows) == ["amount is not a number", "external_client_id is missing"]


async def test_what_holds_nothing_of_the_client_is_not_written_anew(
    ingest: Ingest, source: SourceServer, object_store: LocalObjectStore
) -> None:
    source.payments = [payment(number) for number in range(3)]
    await ingest.load_companies()
    await ingest.recommendations()
    before = {info.key: object_store.get(info.key) for info in object_store.list("raw/")}

    erasure = await erase(ingest)

    assert {info.key: object_store.get(info.key) for info in object_store.list("raw/")} == before
    assert (erasure.objects, erasure.rows) == (0, 0)


async def test_a_part_that_nobody_names_is_deleted_if_it_holds_the_client_and_left_alone_otherwise(
    loaded: Ingest, object_store: LocalObjectStore
) -> None:
    part = next(info.key for info in object_store.list("raw/payments/") if info.key.endswith(".parquet"))
    dead = part.rpartition("/")[0].rpartition("run=")[0] + "run=00000000-0000-0000-0000-000000000007/"
    without, broken = io.BytesIO(), dead + "part-02-00000.parquet"
    pq.write_table(pq.read_table(io.BytesIO(object_store.get(part))).slice(0, 3), without)
    object_store.put_if_absent(dead + "part-01-00000.parquet", object_store.get(part))
    object_store.put_if_absent(dead + "part-01-00001.parquet", without.getvalue())
    object_store.put_if_absent(broken, b"PAR1")
    object_store.put_if_absent("raw/payments/a-note-of-somebody.txt", CLIENT.encode())

    await erase(loaded)

    keys = [info.key for info in object_store.list("")]
    assert [key for key in keys if key.startswith(dead)] == [dead + "part-01-00001.parquet"]
    assert "raw/payments/a-note-of-somebody.txt" in keys, "what is not ours is not touched"


async def test_a_refused_pass_that_is_retried_loads_without_the_client(
    serve: Serve, source: SourceServer, url: str, object_store: LocalObjectStore
) -> None:
    source.payments += [payment(100 + number, amount="much") for number in range(20)]
    async with serve() as strict:
        await strict.load_companies()
        refused = await strict.recommendations()
        assert refused.state == pb.RUN_STATE_FAILED
        await erase(strict)
        assert await traces(url, object_store, CLIENT) == []
    source.payments = []

    async with serve(max_quarantine_share=1.0) as lenient:
        await lenient.retry(refused.run_id)
        run = await lenient.end_of(refused.run_id)

    assert (run.state, run.account.new, run.account.read) == (pb.RUN_STATE_SUCCEEDED, 17, 17 + 17), run
    assert await traces(url, object_store, CLIENT) == []


async def test_a_pass_that_was_broken_off_before_the_erasure_keeps_nothing_of_the_client(
    serve: Serve, source: SourceServer, url: str, object_store: LocalObjectStore
) -> None:
    source.payments, source.beyond = [payment(number) for number in range(100)], (60, status(404))
    async with serve(page_limit=20, checkpoint_rows=20) as ingest:
        await ingest.load_companies()
        broken_off = await ingest.recommendations()
        assert broken_off.state == pb.RUN_STATE_FAILED
        assert await traces(url, object_store, CLIENT)

        await erase(ingest)

        assert await traces(url, object_store, CLIENT) == []
        source.beyond = None
        await ingest.retry(broken_off.run_id)
        run = await ingest.end_of(broken_off.run_id)
    erased = len([row for row in source.payments if row["external_client_id"] == CLIENT])
    assert (run.state, run.account.new) == (pb.RUN_STATE_SUCCEEDED, 100 - erased), run
    assert await traces(url, object_store, CLIENT) == []


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_a_run_that_failed_at_its_load_is_retried_without_the_client_and_its_account_balances(
    loaded: Ingest,
    engine: AsyncEngine,
    warehouse: WarehouseServer,
    object_store: LocalObjectStore,
    is_loaded: bool,
) -> None:
    first = (await loaded.list(pipeline=pb.PIPELINE_RECOMMENDATIONS)).runs[-1]
    await _fail_at_its_load(engine, first.run_id, is_loaded=is_loaded)
    _delete_receipts(object_store)

    await erase(loaded)
    receipts = [info.key for info in object_store.list("raw/payments/") if "/receipt-" in info.key]
    assert len(receipts) == (2 if is_loaded else 0), "a later one could name what is no more"
    await loaded.retry(first.run_id)
    run = await loaded.end_of(first.run_id)

    assert (run.state, run.account.new) == (pb.RUN_STATE_SUCCEEDED, 20 if is_loaded else 17), run
    assert (await warehouse.statistics()).payment_versions == 17


async def test_a_replay_that_waited_for_the_erasure_replays_the_rows_of_others(
    loaded: Ingest, source: SourceServer, url: str, object_store: LocalObjectStore
) -> None:
    refused = (await loaded.list(size=1)).runs[0]
    source.open.clear()
    daily = await loaded.run(pb.PIPELINE_COMPANIES)
    await loaded.working_on(daily.run_id, "save_companies")
    erasure = await request(loaded)
    replay = await loaded.replay(refused.run_id)
    source.open.set()

    run = await loaded.end_of(replay.run_id)

    assert (await loaded.get(erasure.erasure_id)).state == pb.RUN_STATE_SUCCEEDED
    assert (run.state, run.account.read, run.account.quarantined) == (pb.RUN_STATE_SUCCEEDED, 2, 2), run
    assert await traces(url, object_store, CLIENT) == []


async def test_a_damaged_object_is_named_and_the_erasure_goes_on_once_it_is_restored(
    loaded: Ingest, tmp_path: Path, url: str, object_store: LocalObjectStore
) -> None:
    keys = [info.key for info in object_store.list("raw/payments/") if info.key.endswith(".parquet")]
    path = tmp_path / "objects" / keys[-1]
    sound = path.read_bytes()
    path.write_bytes(sound[:40] + bytes([sound[40] ^ 1]) + sound[41:])

    erasure = await request(loaded)
    failed = await loaded.end_of(erasure.erasure_id)
    path.write_bytes(sound)
    await loaded.retry(erasure.erasure_id)
    run = await loaded.end_of(erasure.erasure_id)

    assert (failed.state, run.state) == (pb.RUN_STATE_FAILED, pb.RUN_STATE_SUCCEEDED)
    assert keys[-1] in step_of(failed, "erase_from_lake").error
    assert await traces(url, object_store, CLIENT) == []
    told = await record(loaded, erasure.erasure_id)
    assert (told.versions, told.objects, told.rows, told.quarantined) == (3, 3, 6, 3)


async def test_what_a_retried_run_loads_while_an_erasure_is_broken_off_is_erased_too(
    loaded: Ingest, engine: AsyncEngine, url: str, object_store: LocalObjectStore
) -> None:
    first = (await loaded.list(pipeline=pb.PIPELINE_RECOMMENDATIONS)).runs[-1]
    await _fail_at_its_load(engine, first.run_id, is_loaded=False)
    _delete_receipts(object_store)
    object_store.put_if_absent(DAMAGED, b"no manifest")
    broken_off = await loaded.end_of((await request(loaded)).erasure_id)
    assert broken_off.state == pb.RUN_STATE_FAILED

    await loaded.retry(first.run_id)
    run = await loaded.end_of(first.run_id)
    assert (await record(loaded, broken_off.run_id)).index_version == "", "the run has published one with the client"
    object_store.delete(DAMAGED)
    await loaded.retry(broken_off.run_id)
    erased = await loaded.end_of(broken_off.run_id)

    assert (run.state, run.account.new) == (pb.RUN_STATE_SUCCEEDED, 20), run
    assert erased.state == pb.RUN_STATE_SUCCEEDED, erased
    assert (await record(loaded, erased.run_id)).index_version == f"v-{erased.run_id}"
    assert await traces(url, object_store, CLIENT) == []


async def test_several_clients_are_erased_one_after_the_other(
    loaded: Ingest, url: str, object_store: LocalObjectStore
) -> None:
    clients = ["client-1", "client-2", CLIENT]

    asked = [await request(loaded, client) for client in clients]
    runs = [await loaded.end_of(erasure.erasure_id) for erasure in asked]

    assert [run.state for run in runs] == [pb.RUN_STATE_SUCCEEDED] * 3
    assert [await traces(url, object_store, client) for client in clients] == [[], [], []]
    receipts = [info.key for info in object_store.list("raw/payments/") if "/receipt-" in info.key]
    assert len(receipts) == 2 * (1 + 3), "one more for each erasure"


def _delete_receipts(store: LocalObjectStore) -> None:
    for info in list(store.list("raw/payments/")):
        if "/receipt-" in info.key:
            store.delete(info.key)


def _of_others(rows: list[str]) -> list[str]:
    return [row for row in rows if CLIENT not in row]


async def _fail_at_its_load(engine: AsyncEngine, run_id: str, *, is_loaded: bool) -> None:
    """As a run stands whose load came to its end, or never came to the warehouse, without ingest hearing of it."""
    statements = [
        "UPDATE ingest.steps SET state = 'pending' WHERE run_id = :run_id AND position > 4",
        "UPDATE ingest.steps SET state = 'failed' WHERE run_id = :run_id AND position = 4",
        "UPDATE ingest.runs SET state = 'failed' WHERE run_id = :run_id",
    ]
    if not is_loaded:
        statements += ["DELETE FROM warehouse.payments", "DELETE FROM warehouse.watermarks WHERE dataset = 'payments'"]
        statements += ["DELETE FROM warehouse.loads WHERE dataset = 'payments'"]
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), {"run_id": run_id} if ":run_id" in statement else {})
