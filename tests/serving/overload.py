"""Ten times as many costly calls as the service can take: it refuses early, stays alive, and is as quick afterwards."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bench.serving.frames import message
from bench.serving.load import OK, Load, Target
from bench.serving.load_process import Task, loaded
from tests.serving.polite import Calls, Sample
from tests.serving.replica import Replica, running
from tests.serving.world import World

PATH = "/afin.recommender.v1.RecommenderService/BatchRecommend"
TIMES = 10
CONNECTIONS, AT_ONCE = 40, 1
FEW_CONNECTIONS = 8
DRAWN = 300
HEALTH_PAUSE_SECONDS = 0.05
REFUSED = "8"  # RESOURCE_EXHAUSTED
# What is promised.
SHED_MS, HEALTH_MS, ACCEPTED_MS, SPEED_AFTER = 10.0, 100.0, 2_000.0, 0.8


async def play(world: World, folder: Path, seconds: float) -> dict[str, Any]:
    """The measurements before and after take a tenth of the time each, and at least two seconds."""
    chance = random.Random(1)
    messages = [message(world.batch(chance).SerializeToString()) for _ in range(DRAWN)]
    replica = Replica(world, folder)
    world.publish_next()
    async with running(replica):
        calm = Task(Target(replica.port, PATH, FEW_CONNECTIONS), messages, AT_ONCE, 0.5, max(2.0, seconds / 10))
        before = await asyncio.to_thread(loaded, calm)
        rate = TIMES * before.statuses[OK] / before.seconds
        flood = Task(Target(replica.port, PATH, CONNECTIONS), messages, AT_ONCE, 0, seconds, rate=rate)
        async with _watched_health(replica.address) as health:
            during = await asyncio.to_thread(loaded, flood)
        after = await asyncio.to_thread(loaded, calm)
    return _report(before, during, after, health)


@asynccontextmanager
async def _watched_health(address: str) -> AsyncIterator[Calls]:
    """Asks again and again while the context is open."""
    found = Calls()
    async with grpc.aio.insecure_channel(address) as channel:
        asking = asyncio.create_task(_keep_asking(health_pb2_grpc.HealthStub(channel), found))
        try:
            yield found
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


async def _keep_asking(stub: Any, found: Calls) -> None:
    while True:
        begun, status = monotonic(), "OK"
        try:
            await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.aio.AioRpcError as error:
            status = error.code().name
        found.samples.append(Sample(begun, monotonic() - begun, status))
        await asyncio.sleep(HEALTH_PAUSE_SECONDS)


def _report(before: Load, during: Load, after: Load, health: Calls) -> dict[str, Any]:
    capacity, again = (load.statuses[OK] / load.seconds for load in (before, after))
    found = {
        "capacity": round(capacity, 1),
        "offered": round(during.ended / during.seconds, 1),
        "accepted": round(during.statuses[OK] / during.seconds, 1),
        "statuses": {status: count for status, count in during.statuses.items() if count},
        "shed_p50_ms": _ms(during, 0.5, REFUSED),
        "shed_p99_ms": _ms(during, 0.99, REFUSED),
        "accepted_p50_ms": _ms(during, 0.5, OK),
        "accepted_p99_ms": _ms(during, 0.99, OK),
        "accepted_before_p99_ms": _ms(before, 0.99, OK),
        "health": health.figures(),
        "capacity_after": round(again, 1),
    }
    return {**found, "problems": list(_problems(found, during, capacity, again))}


def _problems(found: dict[str, Any], during: Load, capacity: float, again: float) -> list[str]:
    other = {status: count for status, count in during.statuses.items() if count and status not in {OK, REFUSED}}
    told = {
        f"calls ended otherwise than in an answer or a refusal: {other}": bool(other),
        "nothing was refused": not during.statuses[REFUSED],
        f"refusals took {found['shed_p50_ms']} ms (median), over {SHED_MS}": found["shed_p50_ms"] > SHED_MS,
        f"health took {found['health']['p99_ms']} ms (p99), over {HEALTH_MS}": found["health"]["p99_ms"] > HEALTH_MS,
        f"health failed: {found['health']['failed']}": bool(found["health"]["failed"]),
        f"accepted calls took {found['accepted_p99_ms']} ms (p99)": found["accepted_p99_ms"] > ACCEPTED_MS,
        f"{again:.0f} calls/s afterwards, {capacity:.0f} before": again < SPEED_AFTER * capacity,
    }
    return [line for line, is_true in told.items() if is_true]


def _ms(load: Load, share: float, status: str) -> float:
    return round(load.quantile(share, status) * 1000, 1)
