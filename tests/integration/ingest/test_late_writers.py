"""A leader that was frozen stores its manifest when nobody counts on it any more: what came between holds."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest.adapters.lake import ObjectLake
from services.ingest.adapters.source_json import parse_companies, parse_payments
from services.ingest.domain.sifting import Sifted, Terms, sift
from services.ingest.workflow.ports import LakeWriter
from services.ingest.workflow.values import PassFacts, Place, StoredParts
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.serving import Ingest, step_of
from tests.integration.ingest.source_server import NOW, SourceServer, company, payment, status
from tests.integration.ingest.sweeping import age, sweep
from tests.integration.ingest.test_erasure import CLIENT, erase
from tests.integration.ingest.traces import traces
from tests.integration.ingest.warehouse_server import WarehouseServer

FIRST, LAST = (NOW - timedelta(days=3)).date(), NOW.date()
FACTS = PassFacts(None, NOW, NOW)


def payments(rows: Sequence[dict[str, Any]]) -> Sifted:
    """Of the client, or of anyone."""
    page = parse_payments(json.dumps(rows).encode(), len(rows))
    return sift(page, range(len(page)), Terms(NOW), 0)


async def frozen_before_the_erasure(ingest: Ingest, source: SourceServer, lake: ObjectLake) -> tuple[str, LakeWriter]:
    """A backfill that failed with nothing stored, and who was at it before: all read, a row of the client with it."""
    await ingest.load_companies()
    source.beyond = (0, status(404))
    run = await ingest.end_of((await ingest.backfill(str(FIRST), str(LAST))).run_id)
    assert run.state == pb.RUN_STATE_FAILED
    source.beyond = None
    frozen = lake.writer(Place("payments", FIRST - timedelta(days=1), run.run_id), 1, StoredParts())
    await frozen.write(payments([payment(1), payment(2, external_client_id=CLIENT)]))
    await erase(ingest)
    return run.run_id, frozen


async def test_what_is_stored_after_an_erasure_by_who_knew_nothing_of_it_is_loaded_by_no_retry(
    ingest: Ingest, source: SourceServer, url: str, object_store: LocalObjectStore, engine: AsyncEngine
) -> None:
    run_id, frozen = await frozen_before_the_erasure(ingest, source, ObjectLake(object_store))
    await frozen.finish(FACTS)

    await ingest.retry(run_id)
    run = await ingest.end_of(run_id)

    assert (run.state, run.account.new) == (pb.RUN_STATE_SUCCEEDED, 17), run
    assert all(f"run={run_id}/part-01-" in trace for trace in await traces(url, object_store, CLIENT))
    await age(engine)
    await sweep(engine, object_store)
    assert await traces(url, object_store, CLIENT) == []


async def test_it_is_swept_though_the_run_is_never_retried(
    ingest: Ingest, source: SourceServer, url: str, object_store: LocalObjectStore, engine: AsyncEngine
) -> None:
    _, frozen = await frozen_before_the_erasure(ingest, source, ObjectLake(object_store))
    await frozen.finish(FACTS)
    assert await traces(url, object_store, CLIENT)
    await age(engine)

    await sweep(engine, object_store)

    assert await traces(url, object_store, CLIENT) == []


async def test_rows_that_a_pass_refused_before_the_erasure_can_still_be_listed_and_outlive_the_sweep(
    ingest: Ingest, source: SourceServer, object_store: LocalObjectStore, engine: AsyncEngine
) -> None:
    await ingest.load_companies()
    source.payments = [payment(100 + number, external_client_id="client-1", amount="much") for number in range(20)]
    refused = await ingest.recommendations()
    assert refused.state == pb.RUN_STATE_FAILED

    await erase(ingest)
    await age(engine)
    await sweep(engine, object_store)

    assert await ingest.reasons(refused.run_id) == {"amount is not a number": 20}


async def test_a_catalogue_that_is_stored_after_another_attempt_loaded_its_own_is_not_taken_for_it(
    ingest: Ingest, warehouse: WarehouseServer, object_store: LocalObjectStore, engine: AsyncEngine
) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
    await _forget_the_load(engine, run.run_id)
    day = date.fromisoformat(run.logical_time.ToJsonString()[:10])
    late = ObjectLake(object_store).writer(Place("companies", day, run.run_id), 7, StoredParts())
    page = parse_companies(json.dumps([company(1)]).encode(), 1)
    await late.write(sift(page, range(1), Terms(NOW), 0))
    await late.finish(FACTS)

    await ingest.retry(run.run_id)
    again = await ingest.end_of(run.run_id)

    assert (again.state, again.account.new) == (pb.RUN_STATE_SUCCEEDED, 5), again
    assert "already committed" in step_of(again, "save_companies").detail
    assert (await warehouse.statistics()).current_companies == 5


async def _forget_the_load(engine: AsyncEngine, run_id: str) -> None:
    """As a run stands whose load was committed without ingest hearing of it."""
    statements = [
        "UPDATE ingest.steps SET state = 'pending', output = '{}' WHERE run_id = :run_id AND position > 0",
        "UPDATE ingest.steps SET state = 'failed', output = '{}' WHERE run_id = :run_id AND position = 0",
        "UPDATE ingest.runs SET state = 'failed' WHERE run_id = :run_id",
    ]
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), {"run_id": run_id})
