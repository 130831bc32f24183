"""PostgreSQL through SQLAlchemy and asyncpg, with every wait bounded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.runtime.errors import Unavailable

CONNECT_TIMEOUT = timedelta(seconds=5)
UNREACHABLE = "the database does not answer; check the service's DATABASE_URL and that PostgreSQL runs"


@asynccontextmanager
async def open_database(url: str, application: str, pool_size: int = 5) -> AsyncIterator[AsyncEngine]:
    """An engine for `postgresql://user:password@host:port/database` (or `?host=/socket/folder`), closed at the end.

    No connection is made yet: a service starts, and says NOT_SERVING, while its database is still away.
    """
    engine = create_async_engine(
        asyncpg_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=True,
        connect_args={"timeout": CONNECT_TIMEOUT.total_seconds(), "server_settings": _server_settings(application)},
    )
    try:
        yield engine
    finally:
        await engine.dispose()


def asyncpg_url(url: str) -> URL:
    """`url` with the driver that we use, whatever driver it names; ValueError when it is no PostgreSQL URL."""
    parsed = make_url(url)
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError("a database URL must begin with postgresql://")
    return parsed.set(drivername="postgresql+asyncpg")


async def check_database(engine: AsyncEngine) -> None:
    """Raises when the database does not answer."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


@asynccontextmanager
async def database_errors() -> AsyncIterator[None]:
    """Turns a lost or refused connection into Unavailable; every other database error stays what it is."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(UNREACHABLE) from error
        raise
    except (OSError, TimeoutError) as error:
        raise Unavailable(UNREACHABLE) from error


def _server_settings(application: str) -> dict[str, str]:
    return {
        "application_name": f"afin-{application}",
        "timezone": "UTC",
        # The server notices a killed client within half a second, and frees its locks.
        "client_connection_check_interval": "500ms",
        "idle_in_transaction_session_timeout": "10min",
    }
