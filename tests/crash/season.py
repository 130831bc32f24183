"""One world - database, objects, source, two replicas of each service - and the runs that are made in it."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import asyncpg

from demo.stack.options import free_ports
from demo.stack.postgres import DatabaseUrls, create_logins
from services.warehouse.migrate import migrate
from tests.crash.client import Client
from tests.crash.database import Database, watched_database
from tests.crash.faults import Scene, ingest_failpoint, warehouse_failpoint
from tests.crash.links import Connect, Link, Streams, open_link
from tests.crash.objects import BUCKET, CREDENTIALS, faulty_store
from tests.crash.processes import Deaths, Replica, alive
from tests.integration.ingest.source_server import source_server

NEVER = "0 0 29 2 *"


@dataclass(frozen=True)
class World:
    """What a season's runs work with. `lake`: how a warehouse finds it past every proxy, as its settings."""

    scene: Scene
    client: Client
    database: Database
    deaths: Deaths
    lake: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """What a season is made of. `server_url`: a PostgreSQL server on a Unix socket, its database `postgres`.

    `begin`: the source's clock; `first_moment`: on whose day the first pass begins.
    """

    seed: int
    server_url: str
    folder: Path
    on_s3: bool
    begin: datetime
    first_moment: datetime
    runs: int


@asynccontextmanager
async def world(plan: Plan) -> AsyncIterator[World]:
    """Everything runs while the context is open."""
    deaths = Deaths()
    plan.folder.mkdir(parents=True)
    async with AsyncExitStack() as stack:
        url = await _new_database(plan)
        source = await stack.enter_async_context(source_server())
        objects = await stack.enter_async_context(faulty_store()) if plan.on_s3 else None
        if objects:
            # The S3 server remembers what was stored for as long as our own process lives.
            lake = {
                "OBJECT_STORE_URL": f"s3://{BUCKET}/season-{plan.seed}",
                "OBJECT_STORE_ENDPOINT_URL": objects.endpoint,
            }
        else:
            (plan.folder / "objects").mkdir()
            lake = {"OBJECT_STORE_URL": (plan.folder / "objects").as_uri()}
        postgres = partial(asyncio.open_unix_connection, _socket_of(url))
        ports = free_ports()
        addresses = [ports["warehouse"], ports["recommender"]]
        links = {
            "ingest to PostgreSQL": await stack.enter_async_context(open_link(postgres)),
            "warehouse to PostgreSQL": await stack.enter_async_context(open_link(postgres)),
            "ingest to warehouse": await stack.enter_async_context(open_link(_any_of(addresses))),
        }
        chance = random.Random(plan.seed)
        warehouses = [
            Replica(
                "services.warehouse",
                _environment("WAREHOUSE", port, lake | _warehouse_settings(url, links)),
                port,
                plan.folder / f"warehouse-{port}.log",
                deaths,
                partial(warehouse_failpoint, random.Random(chance.random())),
            )
            for port in addresses
        ]
        ingests = [
            Replica(
                "services.ingest",
                _environment("INGEST", port, lake | _ingest_settings(url, links, source.url, plan)),
                port,
                plan.folder / f"ingest-{port}.log",
                deaths,
                partial(ingest_failpoint, random.Random(chance.random())),
            )
            for port in (ports["ingest"], ports["indexer"])
        ]
        deaths.candidates = ingests
        await stack.enter_async_context(alive([*warehouses, *ingests]))
        database = await stack.enter_async_context(watched_database(url))
        scene = Scene(ingests, warehouses, links, source, objects, url)
        direct = lake | ({"OBJECT_STORE_ENDPOINT_URL": objects.url} if objects else {})
        settings = CREDENTIALS | {f"WAREHOUSE_{name}": value for name, value in direct.items()}
        yield World(scene, Client(ingests, database), database, deaths, settings)


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


def _socket_of(url: str) -> str:
    return f"{parse_qs(urlparse(url).query)['host'][0]}/.s.PGSQL.5432"


def _any_of(ports: list[int]) -> Connect:
    """Whichever listens, the first one first."""

    async def connect() -> Streams:
        for port in ports[:-1]:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
        return await asyncio.open_connection("127.0.0.1", ports[-1])

    return connect


def _database_url(url: str, login: str, link: Link) -> str:
    return f"postgresql://{login}@127.0.0.1:{link.port}{urlparse(url).path}"


def _warehouse_settings(url: str, links: dict[str, Link]) -> dict[str, str]:
    return {
        "DATABASE_URL": _database_url(url, "warehouse", links["warehouse to PostgreSQL"]),
        "LOAD_TIMEOUT_SECONDS": "20",
    }


def _ingest_settings(url: str, links: dict[str, Link], source_url: str, plan: Plan) -> dict[str, str]:
    return {
        "DATABASE_URL": _database_url(url, "ingest", links["ingest to PostgreSQL"]),
        "SOURCE_URL": source_url,
        "WAREHOUSE_ADDRESS": f"127.0.0.1:{links['ingest to warehouse'].port}",
        # No indexer runs: what it does comes after all that is looked at here.
        "INDEXER_ADDRESS": "127.0.0.1:1",
        "FIRST_DAY": plan.first_moment.date().isoformat(),
        "COMPANIES_SCHEDULE": NEVER,
        "RECOMMENDATIONS_SCHEDULE": NEVER,
        "PAGE_LIMIT": "10",
        # Small enough that passes are broken off between two of them.
        "CHECKPOINT_ROWS": "15",
        "REQUEST_TIMEOUT": "PT5S",
        "REQUEST_ATTEMPTS": "2",
        "PATIENCE": "PT20S",
        "CALL_TIMEOUT": "PT5S",
        "WORK_TIMEOUT": "PT30S",
    }


def _environment(prefix: str, port: int, settings: dict[str, str]) -> dict[str, str]:
    fields = settings | {"PORT": str(port), "DRAIN_SECONDS": "0"}
    return CREDENTIALS | {f"{prefix}_{name}": value for name, value in fields.items()}
