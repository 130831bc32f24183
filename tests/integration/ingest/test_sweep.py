"""What dead attempts left in the lake goes after a while; what a manifest in force names, or nobody knows, stays."""

from functools import partial
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from services.contracts.lake import LakeManifest, manifest_attempt, manifest_key
from services.contracts.receipt import Receipt
from services.ingest.adapters.sweeps import PostgresSweepTable
from services.runtime.clock import utc_now
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, eventually
from tests.integration.ingest.source_server import SourceServer, payment
from tests.integration.ingest.sweeping import WEEK, age, epoch, folder_of, keys, leave_orphans, sweep


async def test_the_leader_sweeps_what_ended_runs_left_and_nothing_else(
    serve: Serve, source: SourceServer, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    async with serve() as ingest:
        await ingest.load_companies()
        source.payments.append(payment(70, amount="much"))
        run = await ingest.recommendations()
    unknown = f"{folder_of(object_store, run)}/notes.txt"
    object_store.put_if_absent(unknown, b"of nobody")
    before = keys(object_store)
    orphans = leave_orphans(object_store, run)
    await age(engine)
    swept = await _swept()

    async with serve() as ingest:
        await eventually(partial(_keys, object_store), lambda found: not found & orphans)

        await eventually(_swept, lambda found: found == swept + len(orphans))
        assert keys(object_store) == before
        assert len((await ingest.quarantined(run.run_id)).rows) == 1


async def test_a_run_that_ended_lately_is_left_alone(
    ingest: Ingest, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
    orphans = leave_orphans(object_store, run)

    await sweep(engine, object_store)

    assert orphans <= keys(object_store)


async def test_a_failed_run_keeps_the_pass_that_a_retry_takes_over(
    serve: Serve, source: SourceServer, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    source.payments += [payment(number, amount="much") for number in range(100, 125)]
    async with serve() as ingest:
        await ingest.load_companies()
        failed = await ingest.recommendations()
    assert failed.state == pb.RUN_STATE_FAILED
    orphans = leave_orphans(object_store, failed)
    asked = len(source.requests)
    await age(engine)

    await sweep(engine, object_store)

    assert not keys(object_store) & orphans
    async with serve(max_quarantine_share=1.0) as ingest:
        await ingest.retry(failed.run_id)
        run = await ingest.end_of(failed.run_id)
        assert (run.state, run.account.quarantined) == (pb.RUN_STATE_SUCCEEDED, 25)
    assert len(source.requests) == asked


async def test_a_run_is_swept_once_for_each_of_its_ends(
    ingest: Ingest, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
    await age(engine)
    await sweep(engine, object_store)
    orphans = leave_orphans(object_store, run)

    await sweep(engine, object_store)
    assert orphans <= keys(object_store)
    await age(engine)
    await sweep(engine, object_store)

    assert not keys(object_store) & orphans


OTHER_RUN = """
    INSERT INTO ingest.runs (run_id, pipeline, state, trigger, logical_time, code_version, created_at)
    VALUES (gen_random_uuid(), 'erasure', 'queued', 'manual', now(), '1', now())
"""


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ingest.runs SET state = 'queued'",
        "UPDATE ingest.runs SET state = 'running'",
        "UPDATE ingest.runs SET ended_at = now()",
        OTHER_RUN,
    ],
    ids=["queued", "running", "ended lately", "an erasure waits"],
)
async def test_a_run_that_may_be_at_work_or_beside_an_erasure_is_not_released(
    serve: Serve, engine: AsyncEngine, change: str
) -> None:
    async with serve() as ingest:
        run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
    await age(engine)
    table = PostgresSweepTable(engine, await epoch(engine))
    before = utc_now() - WEEK
    assert await table.release(UUID(run.run_id), before) is not None

    async with engine.begin() as connection:
        await connection.execute(text(change))

    assert await table.release(UUID(run.run_id), before) is None


async def test_a_released_run_goes_on_from_no_earlier_part(ingest: Ingest, engine: AsyncEngine) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
    async with engine.begin() as connection:
        kept = "UPDATE ingest.steps SET state = 'failed', output = '{\"stored\": []}' WHERE position = 1"
        await connection.execute(text(kept))

    released = await PostgresSweepTable(engine, await epoch(engine)).release(UUID(run.run_id), utc_now())

    assert released is not None
    assert [bool(step.output) for step in released.steps] == [True, False]


@pytest.mark.parametrize("damage", ["manifest", "receipt", "gone"])
async def test_a_run_whose_manifest_in_force_is_not_known_is_left_as_it_is(
    ingest: Ingest, engine: AsyncEngine, object_store: LocalObjectStore, damage: str
) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
    leave_orphans(object_store, run)
    folder = folder_of(object_store, run)
    key = f"{folder}/receipt-1.json" if damage == "receipt" else manifest_key(folder, 1)
    object_store.delete(key)
    if damage != "gone":
        object_store.put_if_absent(key, b"{}")
    before = keys(object_store)
    await age(engine)

    await sweep(engine, object_store)

    assert keys(object_store) == before


async def test_the_newest_receipt_tells_which_manifest_is_in_force(
    ingest: Ingest, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
    folder = folder_of(object_store, run)
    first = LakeManifest.from_bytes(object_store.get(manifest_key(folder, 1)))
    renewed = manifest_key(folder, 10_000)
    object_store.put_if_absent(renewed, first.model_copy(update={"parts": ()}).to_bytes())
    receipt = Receipt.from_bytes(object_store.get(f"{folder}/receipt-1.json"))
    named = receipt.model_copy(update={"manifest_key": renewed})
    object_store.put_if_absent(f"{folder}/receipt-2.json", named.to_bytes())
    object_store.delete(manifest_key(folder, 1))
    await age(engine)

    await sweep(engine, object_store)

    assert [key for key in keys(object_store) if key.endswith(".parquet")] == []
    assert {manifest_attempt(key) for key in keys(object_store)} == {10_000, None}


async def _swept() -> float:
    return REGISTRY.get_sample_value("afin_ingest_swept_objects_total") or 0


async def _keys(store: LocalObjectStore) -> set[str]:
    return keys(store)
