"""`python -m services.indexer`: builds, judges and publishes the index; settings are INDEXER_…"""

import asyncio
from functools import partial

from services.indexer.assembly import indexer
from services.indexer.settings import IndexerSettings
from services.runtime.lifecycle import run_until_stopped
from services.runtime.server import grpc_server
from services.runtime.settings import load_settings
from services.runtime.telemetry import telemetry


async def start(settings: IndexerSettings, stop: asyncio.Event) -> None:
    """Serves until `stop`."""
    async with indexer(settings) as service, grpc_server([service], settings):
        await stop.wait()


def main() -> None:
    """Exit code 0 after SIGTERM or SIGINT, 2 for wrong settings."""
    settings = load_settings(IndexerSettings)
    with telemetry("indexer", settings):
        run_until_stopped(partial(start, settings))


if __name__ == "__main__":
    main()
