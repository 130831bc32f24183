"""Connections to PostgreSQL that notice when its machine has vanished, which tells nobody.

Left alone, the kernel waits a quarter of an hour for what it has sent to be acknowledged, and for ever for an answer.
"""

import asyncio
import socket
from datetime import timedelta
from typing import Any

import asyncpg

# A tenth of the silence, at least a second: probes enough that one that is lost means nothing.
PROBES = 10
TCP = (socket.AF_INET, socket.AF_INET6)


def watchful_connection(silence: timedelta) -> type[asyncpg.Connection]:
    """Asyncpg's connection, broken once the server's machine has acknowledged nothing for so long; whole seconds."""

    class Watchful(asyncpg.Connection):
        def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
            super().__init__(protocol, transport, *rest)
            watch(transport.get_extra_info("socket"), silence)

    return Watchful


def watch(connected: Any, silence: timedelta) -> None:
    """Has the kernel break a connection over TCP after such a silence; any other knows by itself."""
    if connected.family not in TCP:
        return
    seconds = round(silence.total_seconds())
    pause = max(1, seconds // PROBES)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # By Linux's names; another system has some of them.
    options = {"TCP_KEEPIDLE": pause, "TCP_KEEPINTVL": pause, "TCP_KEEPCNT": PROBES, "TCP_USER_TIMEOUT": 1000 * seconds}
    for name, value in options.items():
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
