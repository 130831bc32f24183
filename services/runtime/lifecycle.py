"""From start to a clean end: SIGTERM and SIGINT alike end the work in order, with exit code 0."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs `work` with an event that is set when the process is told to stop; `work` then leaves its contexts."""
    asyncio.run(_with_signals(work))


async def _with_signals(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _tell, stop, number)
    await work(stop)


def _tell(stop: asyncio.Event, number: signal.Signals) -> None:
    log.info("stopping", signal=signal.Signals(number).name)
    stop.set()
