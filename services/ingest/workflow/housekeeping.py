"""What the leader does daily or hourly, and whenever it begins to lead: chores that can be repeated at any time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from services.ingest.workflow.errors import LeadershipLost
from services.ingest.workflow.scheduling import Timer
from services.runtime.errors import ServiceError

DAILY, HOURLY = "30 1 * * *", "7 * * * *"
# Until a chore that failed is tried again; twice as long after each failure, up to the longest.
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
Chore = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)


async def keep_house(
    chores: Sequence[Chore], timer: Timer, cron: str = DAILY, first_pause: timedelta = FIRST_PAUSE
) -> None:
    """Does all chores now and each day, or whenever `cron` says, until cancelled.

    One that fails is told, and tried again soon. Raises LeadershipLost when a chore finds that another leads.
    """
    due = asyncio.Event()
    async with timer([cron], due.set):
        while True:
            due.clear()
            await _do_all(chores, due, first_pause)
            await due.wait()


async def _do_all(chores: Sequence[Chore], due: asyncio.Event, pause: timedelta) -> None:
    """Until each of them was done once, or all are due again."""
    left = [chore for chore in chores if not await _is_done(chore)]
    while left:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await due.wait()
                return
        pause = min(2 * pause, LONGEST_PAUSE)
        left = [chore for chore in left if not await _is_done(chore)]


async def _is_done(chore: Chore) -> bool:
    try:
        await chore()
    except LeadershipLost:
        raise
    except ServiceError as error:
        log.warning("housekeeping interrupted", problem=error.message)
    except Exception:
        log.exception("housekeeping interrupted by a bug")
    else:
        return True
    return False
