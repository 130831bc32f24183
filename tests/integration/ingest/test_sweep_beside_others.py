"""A sweep beside a later leader or a retry: what is another's by now stays."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from services.contracts.lake import part_key, run_folder
from services.ingest.adapters.lake import ObjectLake
from services.ingest.adapters.sweeps import PostgresSweepTable
from services.ingest.domain.runs import Run
from services.ingest.workflow.errors import LeadershipLost
from services.ingest.workflow.values import Place
from services.runtime.objects.local import LocalObjectStore
from services.runtime.objects.store import ObjectInfo
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, eventually
from tests.integration.ingest.sweeping import age, epoch, keys, leave_orphans, sweep_of


class PausingLake(ObjectLake):
    """Stands still after it has listed a run, as a frozen process does."""

    def __init__(self, store: LocalObjectStore) -> None:
        super().__init__(store)
        self.listed, self.go_on = asyncio.Event(), asyncio.Event()

    async def objects(self, place: Place) -> list[ObjectInfo]:
        """The listing, in the end."""
        found = await super().objects(place)
        self.listed.set()
        await self.go_on.wait()
        return found


async def test_a_former_leader_that_wakes_up_deletes_nothing(
    serve: Serve, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    async with serve() as ingest:
        run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
        orphans = leave_orphans(object_store, run)
        await age(engine)
        former, paused = await epoch(engine), PausingLake(object_store)
        sweeping = asyncio.create_task(sweep_of(PostgresSweepTable(engine, former), paused, object_store).run())
        await paused.listed.wait()
    async with serve(sweep_after=timedelta(days=30)) as ingest:
        await eventually(partial(epoch, engine), lambda found: found > former)
        paused.go_on.set()

        with pytest.raises(LeadershipLost):
            await sweeping

    assert orphans <= keys(object_store)


async def test_a_run_that_was_retried_meanwhile_is_left_alone(
    ingest: Ingest, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
    orphans = leave_orphans(object_store, run)
    await age(engine)
    table, paused = PostgresSweepTable(engine, await epoch(engine)), PausingLake(object_store)
    sweeping = asyncio.create_task(sweep_of(table, paused, object_store).run())
    await paused.listed.wait()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE ingest.runs SET ended_at = now()"))
    paused.go_on.set()
    await sweeping

    assert orphans <= keys(object_store)


class RetriedAtOnce(PostgresSweepTable):
    """As soon as a run is released, its next attempt stores a part."""

    def __init__(self, engine: AsyncEngine, epoch: int, store: LocalObjectStore) -> None:
        super().__init__(engine, epoch)
        self._store, self.written = store, ""

    async def release(self, run_id: UUID, ended_before: datetime) -> Run | None:
        """The run."""
        released = await super().release(run_id, ended_before)
        if released is not None:
            folder = run_folder("raw", "companies", released.logical_time.date(), str(run_id))
            self.written = part_key(folder, 2, 0)
            assert self._store.put_if_absent(self.written, b"of the next attempt")
        return released


async def test_what_a_retry_stores_after_the_run_was_released_stays(
    ingest: Ingest, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)
    orphans = leave_orphans(object_store, run)
    await age(engine)
    table = RetriedAtOnce(engine, await epoch(engine), object_store)

    await sweep_of(table, ObjectLake(object_store), object_store).run()

    assert table.written in keys(object_store)
    assert not keys(object_store) & orphans
