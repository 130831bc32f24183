"""What tests of the sweep do to a lake and to the runs that left something in it."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from services.contracts.lake import manifest_key, part_key
from services.ingest.adapters.erasure_records import ObjectErasureRecords
from services.ingest.adapters.lake import ObjectLake
from services.ingest.adapters.sweeps import PostgresSweepTable
from services.ingest.workflow.sweep import Sweep
from services.runtime.clock import utc_now
from services.runtime.objects.local import LocalObjectStore

WEEK = timedelta(days=7)


def keys(store: LocalObjectStore) -> set[str]:
    """Of all objects."""
    return {info.key for info in store.list("")}


def folder_of(store: LocalObjectStore, run: pb.Run) -> str:
    """Of a run's objects in raw/."""
    key = next(key for key in sorted(keys(store)) if key.startswith("raw/") and f"run={run.run_id}/" in key)
    return key.rpartition("/")[0]


def leave_orphans(store: LocalObjectStore, run: pb.Run) -> set[str]:
    """Parts and a manifest of attempts that died; their keys."""
    raw = folder_of(store, run)
    quarantine = raw.replace("raw/", "quarantine/", 1)
    left = {part_key(raw, 0, 0), part_key(raw, 77, 12), part_key(quarantine, 0, 3), manifest_key(raw, 0)}
    for key in left:
        assert store.put_if_absent(key, b"left by an attempt that died")
    return left


async def age(engine: AsyncEngine) -> None:
    """Makes all ended runs eight days older."""
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE ingest.runs SET ended_at = ended_at - interval '8 days'"))


async def sweep(engine: AsyncEngine, store: LocalObjectStore) -> None:
    """One pass of whoever leads now, or led last."""
    await sweep_of(PostgresSweepTable(engine, await epoch(engine)), ObjectLake(store), store).run()


def sweep_of(table: PostgresSweepTable, lake: ObjectLake, store: LocalObjectStore) -> Sweep:
    """The sweep over a table and a lake in this store."""
    return Sweep(table, lake, ObjectErasureRecords(store), WEEK, utc_now)


async def epoch(engine: AsyncEngine) -> int:
    """Of the newest leader."""
    async with engine.connect() as connection:
        return int((await connection.execute(text("SELECT epoch FROM ingest.leadership"))).scalar_one())
