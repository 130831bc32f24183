"""What integration and e2e tests share: one real PostgreSQL a session, a fresh database a test, object stores."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from hypothesis import settings

from demo.stack.postgres import embedded_server
from services.runtime.objects.local import LocalObjectStore

# No test asserts a time, on no machine, however busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a running PostgreSQL's own database `postgres`.

    Its data lies outside pytest's folder, which any other session closes to the user that PostgreSQL runs as.
    """
    with TemporaryDirectory(prefix="afin-postgres-") as folder, embedded_server(Path(folder)) as url_of:
        yield url_of("postgres")


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """A database of the test's own, empty, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(_execute(postgres_url, f"CREATE DATABASE {name}"))
    yield postgres_url.replace("/postgres?", f"/{name}?")
    asyncio.run(_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def object_store(tmp_path: Path) -> LocalObjectStore:
    """An empty object store in a folder."""
    folder = tmp_path / "objects"
    folder.mkdir()
    return LocalObjectStore(folder)


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
