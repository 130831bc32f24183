"""Connections to the source's PostgreSQL, with every wait bounded."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

CONNECT_SECONDS = 5.0
QUERY_SECONDS = 30.0
LOAD_SECONDS = 600.0
POOL_SIZE = 5
# A database that is away, restarts, takes no connections, or is too slow or too busy.
DATABASE_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
# A wrong password, an unknown database or a URL that says nothing.
_REFUSED = (ValueError, asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
# Aware times are written in UTC, and each page is planned for its own date and offset.
_SERVER_SETTINGS = {"application_name": "afin-source", "timezone": "UTC", "plan_cache_mode": "force_custom_plan"}


class SourceDatabaseError(Exception):
    """The source's database cannot be used; the message says what to do, without the URL."""


@contextmanager
def database_errors() -> Iterator[None]:
    """Turns a database that is away into SourceDatabaseError; every other error stays what it is."""
    try:
        yield
    except DATABASE_AWAY as error:
        raise _unusable(error) from error


@asynccontextmanager
async def open_connection(url: str, command_seconds: float = LOAD_SECONDS) -> AsyncIterator[asyncpg.Connection]:
    """One connection, each of whose statements may take `command_seconds`; SourceDatabaseError when there is none."""
    try:
        connection = await asyncpg.connect(
            url, timeout=CONNECT_SECONDS, command_timeout=command_seconds, server_settings=_SERVER_SETTINGS
        )
    except (*DATABASE_AWAY, *_REFUSED) as error:
        raise _unusable(error) from error
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


@asynccontextmanager
async def open_pool(url: str) -> AsyncIterator[asyncpg.Pool]:
    """The connections of the API, made when they are needed."""
    pool = asyncpg.create_pool(
        url,
        min_size=0,
        max_size=POOL_SIZE,
        timeout=CONNECT_SECONDS,
        command_timeout=QUERY_SECONDS,
        server_settings=_SERVER_SETTINGS,
    )
    async with pool:
        yield pool


def _unusable(error: Exception) -> SourceDatabaseError:
    return SourceDatabaseError(
        f"the database does not answer ({type(error).__name__}); check SOURCE_DATABASE_URL and that PostgreSQL runs"
    )
