"""Indexes are swapped and two replicas restarted in turn while a client calls: no call fails."""

import asyncio
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from tests.serving.asking import plain_calls
from tests.serving.polite import Calls, polite_client
from tests.serving.replica import Replica, running
from tests.serving.world import World

RATE = 200
# As in deploy/k8s/base/recommender.yaml: a client that lost a replica looks for it every two seconds at most.
MIN_READY_SECONDS = 5.0
# Around a swap: what is called then may meet it.
SWAP_SECOND = 1.0


async def play(world: World, folder: Path, swaps: int) -> dict[str, Any]:
    """One rolling restart is begun after half of the swaps, and swaps go on meanwhile."""
    replicas = [Replica(world, folder), Replica(world, folder)]
    world.publish_next()
    moments: list[float] = []
    loading: list[float] = []
    async with (
        running(*replicas),
        polite_client([each.address for each in replicas], RATE, plain_calls(world)) as calls,
    ):
        restarting: asyncio.Task[list[float]] | None = None
        for number in range(swaps):
            if number == swaps // 2:
                restarting = asyncio.create_task(_restart_in_turn(replicas))
            begun = monotonic()
            moments.append(begun)
            epoch = world.publish_next()
            await asyncio.gather(*(replica.serves(epoch) for replica in replicas))
            loading.append(monotonic() - begun)
            await asyncio.sleep(max(0.0, begun + SWAP_SECOND - monotonic()))
        assert restarting is not None
        stopping = await restarting
    return _report(calls, moments, loading, stopping)


async def _restart_in_turn(replicas: list[Replica]) -> list[float]:
    """Seconds that each took to stop. The next is stopped when the one before has been ready for a moment."""
    seconds = []
    for replica in replicas:
        seconds.append(await replica.stop())
        await replica.start()
        await asyncio.sleep(MIN_READY_SECONDS)
    return seconds


def _report(calls: Calls, moments: list[float], loading: list[float], stopping: list[float]) -> dict[str, Any]:
    swapping = [calls.due_between(moment, moment + SWAP_SECOND).figures() for moment in moments]
    worst = [each["worst_ms"] for each in swapping]
    problems = [f"{count} calls failed with {status}" for status, count in calls.failed.items()]
    return {
        **calls.figures(),
        "swaps": len(moments),
        "restarts": len(stopping),
        "histogram_ms": calls.histogram(),
        "worst_of_each_swap_second_ms": worst,
        "median_worst_of_swap_seconds_ms": median(worst),
        "swap_seconds": {"median": round(median(loading), 2), "worst": round(max(loading), 2)},
        "stop_seconds": [round(each, 2) for each in stopping],
        "problems": problems,
    }
