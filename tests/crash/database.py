"""The database as the test looks at it, past every proxy; while PostgreSQL recovers from a fault it is waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.InternalClientError)  # fmt: skip
PATIENCE_SECONDS = 30


class Database:
    """Asks on one connection, one question at a time, and again on another when it breaks."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Rows."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(AWAY), wait=wait_fixed(0.05), stop=stop_after_delay(PATIENCE_SECONDS)
        )
        return await retrying(self._once, statement, *values)

    async def _once(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self._url)
            rows: list[asyncpg.Record] = await self._connection.fetch(statement, *values)
            return rows

    async def close(self) -> None:
        """Ends it."""
        if self._connection is not None:
            await self._connection.close()


@asynccontextmanager
async def watched_database(url: str) -> AsyncIterator[Database]:
    """Until the context is left."""
    database = Database(url)
    try:
        yield database
    finally:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await database.close()
