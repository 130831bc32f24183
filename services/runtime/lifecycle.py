"""From start to a clean end: SIGTERM and SIGINT alike end the work in order, with exit code 0."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from services.runtime.failpoints import arm_failpoint
from services.runtime.open_files import raise_open_files

EXIT_PATIENCE = timedelta(seconds=5)

log = structlog.get_logger(__name__)


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[None]], *, is_child: bool = False) -> None:
    """Runs `work` with an event that is set when the process is told to stop; `work` then leaves its contexts.

    A child is told so, too, when its standard input ends: its parent is no more.
    """
    arm_failpoint(os.environ)
    raise_open_files()
    asyncio.run(_with_signals(work, is_child=is_child))


async def _with_signals(work: Callable[[asyncio.Event], Awaitable[None]], *, is_child: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if is_child:
        loop.add_reader(sys.stdin.fileno(), _end_with_parent, stop, loop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _tell, stop, number)
    await work(stop)
    await _leave_stuck_threads(loop)


async def _leave_stuck_threads(loop: asyncio.AbstractEventLoop) -> None:
    """Ends the process at once where a thread hangs in a store that never answers: all else is closed by now."""
    ending = asyncio.ensure_future(loop.shutdown_default_executor())
    done, _ = await asyncio.wait({ending}, timeout=EXIT_PATIENCE.total_seconds())
    if not done:
        log.warning("threads left behind")
        sys.stdout.flush()
        os._exit(0)


def _end_with_parent(stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    loop.remove_reader(sys.stdin.fileno())
    log.info("stopping", why="the parent process has ended")
    stop.set()


def _tell(stop: asyncio.Event, number: signal.Signals) -> None:
    log.info("stopping", signal=signal.Signals(number).name)
    stop.set()
