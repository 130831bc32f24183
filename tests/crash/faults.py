"""What may go wrong in a run, each by its name; a random few of them happen at random moments of it."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import asyncpg
from aiohttp import web

from services.runtime.failpoints import Failpoint
from tests.crash.links import Link
from tests.crash.objects import FAULTS, FaultyStore
from tests.crash.processes import Replica
from tests.integration.ingest.source_server import Misdeed, SourceServer, body, cut, status

# Moments of a run, in seconds; most runs are over by the latest.
LATEST = 1.5
BACKENDS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'afin-%'
    ORDER BY application_name LIKE 'afin-ingest', state = 'active' DESC, random()
"""
LOAD_PLACES = [
    Failpoint.LOAD_BEGUN,
    Failpoint.LOAD_STAGED,
    Failpoint.LOAD_MERGED,
    Failpoint.BEFORE_COMMIT,
    Failpoint.AFTER_COMMIT,
]
RUN_PLACES = [place for place in Failpoint if place not in LOAD_PLACES and not place.startswith("index.")]
OFTEN_PASSED = ("step.",)
ARMED_SHARE = 0.85
SILENT_SECONDS = 2


async def silent(_: web.Request) -> web.StreamResponse:
    """Says nothing for a while, and then that it cannot."""
    await asyncio.sleep(SILENT_SECONDS)
    return web.Response(status=504)


MISDEEDS: list[tuple[str, Misdeed]] = [
    ("source 503", status(503)),
    ("source 429", status(429, **{"Retry-After": "1"})),
    ("source HTML", body("<html>Sorry</html>", "text/html")),
    ("source cut JSON", body('[{"id": "p1", "compa')),
    ("source broke off", cut),
    ("source silent", silent),
]


def ingest_failpoint(chance: random.Random) -> str:
    """For one life of an ingest: where it dies, and at which passing; often nowhere."""
    place = chance.choice(RUN_PLACES)
    passing = chance.randint(1, 6 if place.startswith(OFTEN_PASSED) else 2)
    return f"{place}:{passing}" if chance.random() < ARMED_SHARE else ""


def warehouse_failpoint(chance: random.Random) -> str:
    """The same for one life of a warehouse."""
    return f"{chance.choice(LOAD_PLACES)}:{chance.randint(1, 2)}" if chance.random() < ARMED_SHARE else ""


@dataclass(frozen=True)
class Scene:
    """What there is to break."""

    ingests: list[Replica]
    warehouses: list[Replica]
    indexer: Replica
    links: dict[str, Link]
    source: SourceServer
    objects: FaultyStore | None
    database_url: str


class Mischief:
    """Does what goes wrong in one run, and counts it."""

    def __init__(self, scene: Scene, chance: random.Random, done: Counter[str]) -> None:
        self._scene = scene
        self._chance = chance
        self._done = done

    def plan(self) -> list[Awaitable[None]]:
        """One to four faults, to be awaited together; each at a random moment."""
        faults: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (5, self._kill),
            (3, self._end_backend),
            (1, self._kill_backend),
            (3, self._cut),
            (3, self._lose_answers),
            (2, self._spoil_source),
            (3 if self._scene.objects else 0, self._spoil_objects),
        ]
        works = [work for _, work in faults]
        chosen = self._chance.choices(works, [weight for weight, _ in faults], k=self._chance.randint(1, 4))
        if self._chance.random() < 0.02:
            chosen.append(self._freeze_leader)
        return [self._later(self._chance.uniform(0, LATEST), work) for work in chosen]

    async def _later(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(seconds)
        await work()

    async def _kill(self) -> None:
        self._chance.choice([*self._scene.ingests, *self._scene.warehouses, self._scene.indexer]).kill()

    async def _freeze_leader(self) -> None:
        """It stays frozen until the run is over."""
        up = [replica for replica in self._scene.ingests if replica.is_up]
        if len(up) == len(self._scene.ingests):
            leader = next((replica for replica in up if replica is replica.deaths.leader), up[0])
            leader.freeze()
            self._done["ingest frozen"] += 1

    async def _end_backend(self) -> None:
        for pid in (await self._backends())[:1]:
            await self._execute(f"SELECT pg_terminate_backend({pid})")
            self._done["backend terminated"] += 1

    async def _kill_backend(self) -> None:
        """PostgreSQL ends all of its sessions then, and recovers from its log."""
        for pid in (await self._backends())[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self._done["backend killed"] += 1

    async def _cut(self) -> None:
        name = self._chance.choice(sorted(self._scene.links))
        self._scene.links[name].cut()
        self._done[f"{name} cut"] += 1

    async def _lose_answers(self) -> None:
        name = self._chance.choice(sorted(self._scene.links))
        self._done[f"{name} answers lost"] += 1
        await self._scene.links[name].lose_answers(self._chance.uniform(0.02, 0.5))

    async def _spoil_source(self) -> None:
        name, misdeed = self._chance.choice(MISDEEDS)
        times = self._chance.randint(1, 3)
        self._scene.source.misdeeds += [misdeed] * times
        self._done[name] += times

    async def _spoil_objects(self) -> None:
        assert self._scene.objects is not None
        for fault in self._chance.choices(FAULTS, k=self._chance.randint(1, 3)):
            self._scene.objects.faults.append(fault)
            self._done[f"S3 {fault}"] += 1

    async def _backends(self) -> list[int]:
        return [row["pid"] for row in await self._execute(BACKENDS)]

    async def _execute(self, statement: str) -> list[asyncpg.Record]:
        try:
            connection = await asyncpg.connect(self._scene.database_url)
            try:
                rows: list[asyncpg.Record] = await connection.fetch(statement)
                return rows
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            # PostgreSQL recovers from another fault at this moment.
            return []
