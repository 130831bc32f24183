"""`python -m demo.live`: adds and changes payments until SIGTERM, SIGINT or LIVE_SECONDS, and ends with 0."""

import asyncio
import sys
from collections import Counter

import numpy as np
import structlog

from demo.live.changes import Traffic
from demo.live.habits import NoPaymentsError, read_habits
from demo.live.pace import ticks
from demo.live.settings import LiveSettings
from demo.source.database import QUERY_SECONDS, SourceDatabaseError, database_errors, open_connection
from demo.source.settings import SourceSettings
from demo.source.store import create_schema
from services.runtime.lifecycle import run_until_stopped
from services.runtime.settings import load_settings
from services.runtime.telemetry import configure_logging

log = structlog.get_logger(__name__)


def main() -> None:
    """Reads the settings and runs; exits with 1 when the database is away or holds no payments."""
    source, live = load_settings(SourceSettings), load_settings(LiveSettings)
    configure_logging("live", source.log_level)
    try:
        run_until_stopped(lambda stop: _run(source.database_url.get_secret_value(), live, stop))
    except (SourceDatabaseError, NoPaymentsError) as error:
        sys.exit(f"live: {error}")


async def _run(url: str, settings: LiveSettings, stop: asyncio.Event) -> None:
    made: Counter[str] = Counter()
    async with open_connection(url, QUERY_SECONDS) as connection:
        with database_errors():
            await create_schema(connection)
            habits = await read_habits(connection)
            traffic = Traffic(connection, habits, np.random.default_rng(settings.seed))
            log.info("live mode started", per_second=settings.payments_per_second)
            async for _ in ticks(stop, settings.payments_per_second, settings.seconds):
                kind = traffic.choose()
                made[kind.name.lower() if await traffic.make(kind) else "nothing_to_change"] += 1
    log.info("live mode ended", **made)


if __name__ == "__main__":
    main()
