"""A proxy before PostgreSQL whose machine can vanish: nothing that it is sent arrives, and it says nothing any more."""

import asyncio
import ctypes
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

CHUNK = 64 * 1024
# Linux's number, which Python has no name for; and a filter of one instruction: let no byte of any segment in.
SO_ATTACH_FILTER = 26
DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)


class VanishingProxy:
    """Passes bytes on to PostgreSQL's Unix socket. Connections made after it vanished find it there again."""

    def __init__(self, unix_socket: str) -> None:
        self._unix_socket = unix_socket
        self._open: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}
        self._lost: set[asyncio.StreamWriter] = set()
        self.has_passed = asyncio.Event()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, until either side ends it."""
        server_reader, server_writer = await asyncio.open_unix_connection(self._unix_socket)
        self._open[writer] = server_writer
        answers = asyncio.create_task(self._answer(server_reader, writer))
        with suppress(ConnectionError):
            while content := await reader.read(CHUNK):
                server_writer.write(content)
                self.has_passed.set()
        server_writer.transport.abort()
        await answers

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while content := await reader.read(CHUNK):
                writer.write(content)
        if writer not in self._lost:
            writer.close()

    def vanish(self) -> None:
        """The sessions are gone from PostgreSQL; their clients are not told, and what they send is not acknowledged."""
        instruction = ctypes.create_string_buffer(DROP_ALL, len(DROP_ALL))
        program = struct.pack("@HP", 1, ctypes.addressof(instruction))
        for client, server in self._open.items():
            client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
            self._lost.add(client)
            server.transport.abort()
        self._open.clear()

    def close(self) -> None:
        """Ends all that is open."""
        for writer in (*self._lost, *self._open, *self._open.values()):
            writer.transport.abort()


@asynccontextmanager
async def vanishing_proxy(database_url: str) -> AsyncIterator[tuple[str, VanishingProxy]]:
    """The database's URL through the proxy, and the proxy."""
    address = urlsplit(database_url)
    proxy = VanishingProxy(f"{parse_qs(address.query)['host'][0]}/.s.PGSQL.5432")
    server = await asyncio.start_server(proxy.pass_on, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://postgres:@127.0.0.1:{port}{address.path}", proxy
    finally:
        server.close()
        proxy.close()
