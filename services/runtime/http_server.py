"""uvicorn under our own lifecycle: it stops when an event is set, not when it sees a signal."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

DRAIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """`connections` at once, beyond which clients are told 503 (None: any); `patience` for a request to come whole."""

    connections: int | None = None
    patience: timedelta = timedelta(seconds=10)


class CannotListenError(Exception):
    """The address is taken or not ours; the message names it."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to our own lifecycle: uvicorn would raise them again at its end, and 0 be out of reach."""
        yield


class _Protocol(H11Protocol):
    """Hangs up on who does not send a whole request within `patience`.

    uvicorn itself waits for ever, and so a few clients that send a byte now and then take all connections there are.
    """

    def __init__(self, patience: timedelta, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = patience
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self._patience.total_seconds(), self.transport.abort)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


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
    limits: Limits | None = None,
) -> None:
    """Answers until `stop` is set; requests under way may end within DRAIN_SECONDS. Closes `listener`.

    `certificate`: files of it and its key, which turn TLS on; `limits`: of what clients may take.
    """
    limits = limits or Limits()
    config = uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", partial(_Protocol, limits.patience)),
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=DRAIN_SECONDS,
        limit_concurrency=limits.connections,
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
