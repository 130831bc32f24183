"""`python -m console`: the operators' web page; settings are CONSOLE_…"""

import asyncio
import sys
from datetime import timedelta
from functools import partial

import structlog

from console.app import create_app
from console.parts import Parts
from console.rendering import Renderer
from console.services import open_services
from console.sessions import SessionSeal
from console.settings import ConsoleSettings
from services.runtime.clock import utc_now
from services.runtime.http_server import CannotListenError, Limits, listen, serve
from services.runtime.lifecycle import run_until_stopped
from services.runtime.settings import load_settings
from services.runtime.telemetry import telemetry

log = structlog.get_logger(__name__)


async def start(settings: ConsoleSettings, stop: asyncio.Event) -> None:
    """Serves until `stop`; no service need be there yet."""
    secret = settings.session_secret.get_secret_value() if settings.session_secret else None
    seal = SessionSeal(secret, timedelta(hours=settings.session_hours))
    async with open_services(settings) as services:
        parts = Parts(settings, services, seal, Renderer(utc_now), utc_now, stop)
        listener = listen(settings.host, settings.port, "CONSOLE_")
        log.info("listening", host=settings.host, port=listener.getsockname()[1])
        await serve(
            create_app(parts),
            listener,
            stop,
            certificate=settings.certificate,
            limits=Limits(settings.max_connections),
        )


def main() -> None:
    """Exit code 0 after SIGTERM or SIGINT, 1 when the address is taken, 2 for wrong settings."""
    settings = load_settings(ConsoleSettings)
    with telemetry("console", settings):
        try:
            run_until_stopped(partial(start, settings))
        except CannotListenError as error:
            sys.exit(f"console: {error}")


if __name__ == "__main__":
    main()
