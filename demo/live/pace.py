"""A steady pace that ends at once when it is told to."""

import asyncio
import itertools
from collections.abc import AsyncIterator


async def ticks(stop: asyncio.Event, per_second: float, seconds: float | None) -> AsyncIterator[None]:
    """Yields `per_second` times a second, without drift, until `stop` is set or `seconds` are over."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in itertools.count():
        elapsed = number / per_second
        if seconds is not None and elapsed >= seconds:
            return
        if await _stopped_within(stop, start + elapsed - loop.time()):
            return
        yield


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    if seconds > 0 and not stop.is_set():
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return False
    return stop.is_set()
