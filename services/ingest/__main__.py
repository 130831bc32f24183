"""The process of ingest: `python -m services.ingest`, with settings INGEST_…."""

import asyncio
from functools import partial

from services.ingest.assembly import ingest
from services.ingest.settings import IngestSettings
from services.runtime.lifecycle import run_until_stopped
from services.runtime.server import grpc_server
from services.runtime.settings import load_settings
from services.runtime.telemetry import telemetry


async def start(settings: IngestSettings, stop: asyncio.Event) -> None:
    """Works and serves until `stop`. Neither database nor any other service need be there yet: health tells."""
    async with ingest(settings, stop) as service, grpc_server([service], settings):
        await stop.wait()


def main() -> None:
    """Reads settings, then runs until SIGTERM or SIGINT."""
    settings = load_settings(IngestSettings)
    with telemetry("ingest", settings):
        run_until_stopped(partial(start, settings))


if __name__ == "__main__":
    main()
