"""Mixed load with swaps for a long time: memory stays flat."""

import asyncio
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from bench.serving.processes import Memory, memory_of
from tests.serving.asking import mixed_calls
from tests.serving.polite import polite_client
from tests.serving.replica import Replica, running
from tests.serving.world import World

RATE = 100
SWAP_SECONDS = 10.0
LOOKS = 300
# Flat: what is private in the last tenth of the time is at most so much over what was in the tenth around the middle.
GROWTH, SLACK_MIB = 1.05, 4.0


async def play(world: World, folder: Path, minutes: float) -> dict[str, Any]:
    """Looks at memory so often that each tenth of the time has its median."""
    replica = Replica(world, folder)
    world.publish_next()
    looks: list[Memory] = []
    async with running(replica), polite_client([replica.address], RATE, mixed_calls(world)) as calls:
        begun, swapped = monotonic(), monotonic()
        end = begun + minutes * 60
        while monotonic() < end:
            looks.append(memory_of([replica.process]))
            if monotonic() - swapped > min(SWAP_SECONDS, minutes * 6):
                world.publish_next()
                swapped = monotonic()
            await asyncio.sleep(minutes * 60 / LOOKS)
        served = await replica.epoch()
    memory = {name: _in_tenths(looks, place) for name, place in (("start", 0), ("middle", 5), ("end", 9))}
    problems = [f"{count} calls failed with {status}" for status, count in calls.failed.items()]
    if memory["end"]["private"] > memory["middle"]["private"] * GROWTH + SLACK_MIB:
        problems.append(f"private memory grew from {memory['middle']['private']} to {memory['end']['private']} MiB")
    if served < world.epoch - 1:
        problems.append(f"epoch {served} is served, epoch {world.epoch} is published")
    return {**calls.figures(), "minutes": minutes, "swaps": world.epoch - 1, "memory_mib": memory, "problems": problems}


def _in_tenths(looks: list[Memory], place: int) -> dict[str, float]:
    """Medians over one tenth of the looks."""
    size = max(len(looks) // 10, 1)
    part = looks[place * size : (place + 1) * size] or looks[-1:]
    return {name: round(median(getattr(look, name) for look in part), 1) for name in ("rss", "pss", "private")}
