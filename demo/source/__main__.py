"""`python -m demo.source`: makes its tables, then serves HTTP until SIGTERM or SIGINT, and ends with 0."""

import asyncio
import sys

import structlog

from demo.source.api import create_app
from demo.source.database import SourceDatabaseError, database_errors, open_connection, open_pool
from demo.source.settings import SourceSettings
from demo.source.store import create_schema
from services.runtime.http_server import CannotListenError, listen, serve
from services.runtime.lifecycle import run_until_stopped
from services.runtime.settings import load_settings
from services.runtime.telemetry import configure_logging

log = structlog.get_logger(__name__)


def main() -> None:
    """Reads the settings and runs; exits with 1 when the database is away or the address taken."""
    settings = load_settings(SourceSettings)
    configure_logging("source", settings.log_level)
    try:
        run_until_stopped(lambda stop: _run(settings, stop))
    except (SourceDatabaseError, CannotListenError) as error:
        sys.exit(f"source: {error}")


async def _run(settings: SourceSettings, stop: asyncio.Event) -> None:
    url = settings.database_url.get_secret_value()
    async with open_connection(url) as connection:
        with database_errors():
            await create_schema(connection)
    async with open_pool(url) as pool:
        listener = listen(settings.host, settings.port, "SOURCE_")
        log.info("listening", host=settings.host, port=listener.getsockname()[1])
        await serve(create_app(pool, settings.max_limit), listener, stop)


if __name__ == "__main__":
    main()
