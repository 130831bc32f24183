"""What the leader does once a day, and whenever it begins to lead: chores that can be repeated at any time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.ingest.workflow.errors import LeadershipLost
from services.ingest.workflow.scheduling import Timer
from services.runtime.errors import ServiceError

DAILY = "30 1 * * *"
Chore = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)


async def keep_house(chores: Sequence[Chore], timer: Timer) -> None:
    """Does all chores now and each day, until cancelled. One that fails is told, and tried again the next time.

    Raises LeadershipLost when a chore finds that another leads.
    """
    due = asyncio.Event()
    due.set()
    async with timer([DAILY], due.set):
        while True:
            await due.wait()
            due.clear()
            for chore in chores:
                await _attempt(chore)


async def _attempt(chore: Chore) -> None:
    try:
        await chore()
    except LeadershipLost:
        raise
    except ServiceError as error:
        log.warning("housekeeping interrupted", problem=error.message)
    except Exception:
        log.exception("housekeeping interrupted by a bug")
