"""APScheduler as an alarm clock: it says when to look at the schedules, and keeps nothing itself."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from services.ingest.adapters.cron import cron_trigger


@asynccontextmanager
async def apscheduler_timer(
    crons: Iterable[str],
    fire: Callable[[], None],
    trigger_of: Callable[[str], BaseTrigger] = cron_trigger,
) -> AsyncIterator[None]:
    """Calls `fire` at each scheduled time while open; late ones too, but once."""
    scheduler = AsyncIOScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    )

    async def ring() -> None:
        # A coroutine, so that it runs on the event loop and not in a thread.
        fire()

    for cron in crons:
        scheduler.add_job(ring, trigger_of(cron))
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
