"""One world: database, objects, source, links that can be cut, and two replicas of each service."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import asyncpg

from demo.stack.options import free_ports
from demo.stack.postgres import DatabaseUrls, create_logins
from services.runtime.objects.local import LocalObjectStore
from services.runtime.objects.store import ObjectStore
from services.warehouse.migrate import migrate
from tests.crash import replicas
from tests.crash.client import Client
from tests.crash.database import Database, watched_database
from tests.crash.faults import Scene
from tests.crash.links import Connect, Link, Streams, open_link
from tests.crash.objects import BUCKET, FaultyStore, faulty_store
from tests.crash.plan import Plan
from tests.crash.processes import Deaths, alive
from tests.integration.ingest.source_server import source_server

REPLICAS = ("warehouse", "second warehouse", "ingest", "second ingest", "indexer")


@dataclass(frozen=True)
class World:
    """What a season's runs work with.

    `lake`: how a warehouse finds it past every proxy, as its environment; `store`: the same, opened.
    """

    scene: Scene
    client: Client
    database: Database
    deaths: Deaths
    lake: dict[str, str]
    store: ObjectStore


@asynccontextmanager
async def world(plan: Plan) -> AsyncIterator[World]:
    """Everything runs while the context is open."""
    deaths = Deaths()
    plan.folder.mkdir(parents=True)
    async with AsyncExitStack() as stack:
        url = await _new_database(plan)
        source = await stack.enter_async_context(source_server())
        objects = await stack.enter_async_context(faulty_store()) if plan.on_s3 else None
        *of_warehouse, first, second, of_indexer = free_ports(REPLICAS).values()
        links = await _open_links(stack, url, of_warehouse, of_indexer)
        lake = _lake(plan, objects.endpoint if objects else "")
        settings = lake | replicas.warehouse_settings(url, links)
        warehouses = replicas.warehouses(plan, of_warehouse, settings, deaths)
        settings = lake | replicas.ingest_settings(url, links, source.url, plan)
        ingests = deaths.candidates = replicas.ingests(plan, (first, second), settings, deaths)
        indexer = replicas.indexer(plan, of_indexer, lake | replicas.indexer_settings(url), deaths)
        await stack.enter_async_context(alive([*warehouses, *ingests, indexer]))
        database = await stack.enter_async_context(watched_database(url))
        scene = Scene(ingests, warehouses, indexer, links, source, objects, url)
        yield World(scene, Client(ingests, database), database, deaths, _direct(plan, objects), _store(plan, objects))


async def _new_database(plan: Plan) -> str:
    name = f"crash_{plan.seed}_{os.getpid()}"
    connection = await asyncpg.connect(plan.server_url)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    url = plan.server_url.replace("/postgres?", f"/{name}?")
    await migrate(url)
    await create_logins(DatabaseUrls(url, url, url, url, url, embedded=True))
    return url


async def _open_links(stack: AsyncExitStack, url: str, warehouses: list[int], indexer: int) -> dict[str, Link]:
    postgres = partial(asyncio.open_unix_connection, f"{parse_qs(urlparse(url).query)['host'][0]}/.s.PGSQL.5432")
    targets: dict[str, Connect] = {
        replicas.INGEST_TO_POSTGRES: postgres,
        replicas.WAREHOUSE_TO_POSTGRES: postgres,
        replicas.INGEST_TO_WAREHOUSE: partial(_connect_to_either, *warehouses),
        replicas.INGEST_TO_INDEXER: partial(asyncio.open_connection, "127.0.0.1", indexer),
    }
    return {name: await stack.enter_async_context(open_link(connect)) for name, connect in targets.items()}


async def _connect_to_either(first: int, second: int) -> Streams:
    try:
        return await asyncio.open_connection("127.0.0.1", first)
    except OSError:
        return await asyncio.open_connection("127.0.0.1", second)


def _lake(plan: Plan, endpoint: str) -> dict[str, str]:
    """As settings of a service; in a folder, unless an S3 server is there."""
    if endpoint:
        return {"OBJECT_STORE_URL": f"s3://{BUCKET}/{_prefix(plan)}", "OBJECT_STORE_ENDPOINT_URL": endpoint}
    _folder(plan).mkdir(exist_ok=True)
    return {"OBJECT_STORE_URL": _folder(plan).as_uri()}


def _store(plan: Plan, objects: FaultyStore | None) -> ObjectStore:
    return objects.store(_prefix(plan)) if objects else LocalObjectStore(_folder(plan))


def _prefix(plan: Plan) -> str:
    """The S3 server remembers what was stored for as long as our own process lives."""
    return f"season-{plan.seed}"


def _folder(plan: Plan) -> Path:
    return plan.folder / "objects"


def _direct(plan: Plan, objects: FaultyStore | None) -> dict[str, str]:
    return replicas.environment("WAREHOUSE", _lake(plan, objects.url if objects else ""))
