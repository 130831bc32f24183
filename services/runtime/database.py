"""PostgreSQL through SQLAlchemy and asyncpg, with every wait bounded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, SecretStr
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.runtime.errors import Unavailable
from services.runtime.watchful import watchful_connection

CONNECT_TIMEOUT = timedelta(seconds=5)
SILENCE = timedelta(seconds=30)
# Classes of SQLSTATE that mean "not now, or not us": connection, resources, operator, authorization, no such database.
UNREACHABLE_STATES = ("08", "53", "57P", "28", "3D")


class DatabaseUnavailable(Unavailable):
    """Not reached, or lost on the way: then what was sent last may have been done all the same."""

    reason = "DATABASE_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("the database does not answer; check the service's DATABASE_URL and that PostgreSQL runs")


@asynccontextmanager
async def open_database(
    url: str, application: str, pool_size: int = 5, silence: timedelta = SILENCE
) -> AsyncIterator[AsyncEngine]:
    """An engine for `postgresql://user:password@host:port/database` (or `?host=/socket/folder`), closed at the end.

    `silence`: after which a server that acknowledges nothing is taken to be gone, and so is a client by the server.
    No connection is made yet: a service starts, and says NOT_SERVING, while its database is still away.
    """
    engine = create_async_engine(
        asyncpg_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=True,
        # Rows and client ids never stand in the text of an error, which a log may hold.
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_TIMEOUT.total_seconds(),
            "connection_class": watchful_connection(silence),
            "server_settings": _server_settings(application, silence),
        },
    )
    try:
        yield engine
    finally:
        await engine.dispose()


def asyncpg_url(url: str) -> URL:
    """`url` with the driver that we use, whatever driver it names; ValueError when it is no PostgreSQL URL."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Their messages quote parts of the URL, and so perhaps of its password.
        raise ValueError("a database URL must be postgresql://user:password@host:port/database") from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError("a database URL must begin with postgresql://")
    # libpq's name of the setting, as managed databases hand it out; the driver calls it `ssl`.
    query = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def _checked_secret_url(url: SecretStr) -> SecretStr:
    asyncpg_url(url.get_secret_value())
    return url


# A field of settings that names a database; its password is never shown.
DatabaseUrl = Annotated[SecretStr, AfterValidator(_checked_secret_url)]


async def check_database(engine: AsyncEngine) -> None:
    """Raises when the database does not answer."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


@asynccontextmanager
async def database_errors() -> AsyncIterator[None]:
    """Turns a lost or refused connection into DatabaseUnavailable; every other database error stays what it is."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated or (sqlstate(error) or "").startswith(UNREACHABLE_STATES):
            raise DatabaseUnavailable from error
        raise
    except (OSError, TimeoutError, PoolTimeout) as error:
        raise DatabaseUnavailable from error


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five-character code of an error; None for one that the driver itself found."""
    code = getattr(error.orig, "sqlstate", None)
    return code if isinstance(code, str) else None


def _server_settings(application: str, silence: timedelta) -> dict[str, str]:
    return {
        "application_name": f"afin-{application}",
        "timezone": "UTC",
        # Whatever the server's own default: under a lock, the next statement must see what was committed before it.
        "default_transaction_isolation": "read committed",
        # The server notices a killed client within half a second, and frees its locks.
        "client_connection_check_interval": "500ms",
        "idle_in_transaction_session_timeout": "10min",
        # One whose machine has vanished says nothing.
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "4",
        "tcp_user_timeout": str(round(silence.total_seconds() * 1000)),
    }
