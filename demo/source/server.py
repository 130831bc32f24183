"""uvicorn under our own lifecycle: it stops when an event is set, not when it sees a signal."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

DRAIN_SECONDS = 5


class CannotListenError(Exception):
    """The address is taken or not ours; the message names it."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to our own lifecycle: uvicorn would raise them again at its end, and 0 be out of reach."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that already takes connections (port 0: a free one), so that callers wait and are not refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on {host}:{port} ({error.strerror}); set SOURCE_HOST and SOURCE_PORT"
        ) from error


async def serve(app: Starlette, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answers until `stop` is set; requests under way may end within DRAIN_SECONDS. Closes `listener`."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        await stop.wait()
        server.should_exit = True
