"""A proxy before PostgreSQL that cuts a connection, as a network does: before its COMMIT, or before the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

CHUNK = 64 * 1024
COMMIT = b"COMMIT;"
Cut = Literal["before COMMIT", "before its answer"]


class MeddlingProxy:
    """Passes bytes on; cuts the first connection that commits, once."""

    def __init__(self, socket: Path, cut: Cut) -> None:
        self._socket = socket
        self._cut: Cut | None = cut
        self.has_cut = asyncio.Event()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, until either side ends it."""
        server_reader, server_writer = await asyncio.open_unix_connection(str(self._socket))
        answers = asyncio.create_task(_copy(server_reader, writer))
        with suppress(ConnectionError):
            while content := await reader.read(CHUNK):
                if self._cut and COMMIT in content:
                    await self._commit_and_cut(content, (server_reader, server_writer), answers)
                    break
                server_writer.write(content)
        answers.cancel()
        writer.close()
        server_writer.close()

    async def _commit_and_cut(
        self,
        content: bytes,
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        answers: "asyncio.Task[None]",
    ) -> None:
        cut, self._cut = self._cut, None
        answers.cancel()
        await asyncio.gather(answers, return_exceptions=True)
        if cut == "before its answer":
            reader, writer = server
            writer.write(content)
            await reader.read(CHUNK)
        self.has_cut.set()


@asynccontextmanager
async def meddling_proxy(database_url: str, cut: Cut) -> AsyncIterator[tuple[str, MeddlingProxy]]:
    """The database's URL through the proxy, and the proxy."""
    address = urlsplit(database_url)
    proxy = MeddlingProxy(Path(parse_qs(address.query)["host"][0]) / ".s.PGSQL.5432", cut)
    server = await asyncio.start_server(proxy.pass_on, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://postgres:@127.0.0.1:{port}{address.path}", proxy
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while content := await reader.read(CHUNK):
            writer.write(content)
        writer.close()
