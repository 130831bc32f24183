"""uvicorn under our own lifecycle: it stops when an event is set, not when it sees a signal."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

DRAIN_SECONDS = 5


class CannotListenError(Exception):
    """The address is taken or not ours; the message names it."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to our own lifecycle: uvicorn would raise them again at its end, and 0 be out of reach."""
        yield


def listen(host: str, port: int, prefix: str) -> socket.socket:
    """A socket that already takes connections (port 0: a free one), so that callers wait and are not refused.

    `prefix`: of the settings that name the address, e.g. SOURCE_.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on {host}:{port} ({error.strerror}); set {prefix}HOST and {prefix}PORT"
        ) from error


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    stop: asyncio.Event,
    *,
    certificate: tuple[Path, Path] | None = None,
    most_at_once: int | None = None,
) -> None:
    """Answers until `stop` is set; requests under way may end within DRAIN_SECONDS. Closes `listener`.

    `certificate`: files of it and its key, which turn TLS on; `most_at_once`: connections beyond it are told 503.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=DRAIN_SECONDS,
        limit_concurrency=most_at_once,
        proxy_headers=False,
        server_header=False,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        await stop.wait()
        server.should_exit = True
