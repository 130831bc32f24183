"""One world: a warehouse with planted rows, an object store, an indexer that dies, and a recommender that serves."""

import random
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg

from demo.stack.options import free_ports
from services.runtime.failpoints import Failpoint
from services.runtime.objects.local import UNFINISHED, LocalObjectStore
from services.runtime.objects.store import ObjectStore
from services.warehouse.migrate import migrate
from tests.crash.objects import BUCKET, CREDENTIALS, faulty_store
from tests.crash.processes import Deaths, Replica, alive
from tests.index_races.stores import on_s3
from tests.integration.indexer.warehouse_rows import insert_rows, planted_companies, planted_payments

PLACES = [place for place in Failpoint if place.startswith("index.")]
# Some places are passed once a file.
OFTEN_PASSED = (Failpoint.FILE_STORED, Failpoint.FILE_REMOVED)
ARMED_SHARE = 0.6
# What is tested is that a whole index is served, not which one is good enough.
SETTINGS = {
    "DIMENSION": "8",
    "TREES": "5",
    "DRAIN_SECONDS": "0",
    "MIN_GAIN": "-1",
    "QUALITY_TOLERANCE": "1",
    "MAX_LOSS": "1",
    "MIN_OVERLAP": "0",
    "KEEP_VERSIONS": "1",
    "KEEP_DAYS": "0",
}


@dataclass(frozen=True)
class World:
    """What runs work with. `work`: the indexer's folder for temporary files; `scratch`: the object store's own."""

    database_url: str
    indexer: Replica
    recommender: Replica
    store: ObjectStore
    work: Path
    scratch: Path


@asynccontextmanager
async def world(seed: int, server_url: str, folder: Path) -> AsyncIterator[World]:
    """Everything runs while the context is open. With an even seed objects lie on S3, with an odd one in a folder."""
    work, local = _folders(folder)
    async with AsyncExitStack() as stack:
        url = await _new_database(server_url)
        objects = await stack.enter_async_context(faulty_store()) if seed % 2 == 0 else None
        address = {"OBJECT_STORE_URL": local.as_uri()}
        if objects:
            address = {"OBJECT_STORE_URL": f"s3://{BUCKET}", "OBJECT_STORE_ENDPOINT_URL": objects.url}
        indexer, recommender = _replicas(random.Random(seed), folder, url, address)
        await stack.enter_async_context(alive([indexer, recommender]))
        store = on_s3(objects.url) if objects else LocalObjectStore(local)
        yield World(url, indexer, recommender, store, work, local / UNFINISHED)


def _folders(folder: Path) -> tuple[Path, Path]:
    """For the indexer's temporary files, and for objects."""
    work, local = folder / "work", folder / "objects"
    for each in (work, local):
        each.mkdir(parents=True)
    return work, local


def _replicas(chance: random.Random, folder: Path, url: str, address: dict[str, str]) -> tuple[Replica, Replica]:
    first, second = free_ports(("indexer", "recommender")).values()
    deaths = Deaths()
    own = {"DATABASE_URL": url, "WORK_FOLDER": str(folder / "work"), "PORT": str(first), **SETTINGS}
    theirs = {"CACHE_FOLDER": str(folder / "cache"), "RELOAD_SECONDS": "0.2", "PORT": str(second)}
    return (
        Replica(
            "services.indexer",
            _environment("INDEXER", address | own),
            first,
            folder / "indexer.log",
            deaths,
            partial(_failpoint, chance),
        ),
        Replica(
            "services.recommender",
            _environment("RECOMMENDER", address | theirs),
            second,
            folder / "recommender.log",
            deaths,
            str,
        ),
    )


def _environment(prefix: str, settings: dict[str, str]) -> dict[str, str]:
    return CREDENTIALS | {f"{prefix}_{name}": value for name, value in settings.items()}


def _failpoint(chance: random.Random) -> str:
    """For one life of the indexer: where it dies, and at which passing; sometimes nowhere."""
    if chance.random() > ARMED_SHARE:
        return ""
    place = chance.choice(PLACES)
    return f"{place}:{chance.randint(1, 12) if place in OFTEN_PASSED else 1}"


async def _new_database(server_url: str) -> str:
    name = f"index_crash_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    url = server_url.replace("/postgres?", f"/{name}?")
    await migrate(url)
    await insert_rows(url, planted_payments(), planted_companies())
    return url
