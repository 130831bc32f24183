"""PostgreSQL through the runtime: outages are told as such, and nothing secret with them."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.database import asyncpg_url, check_database, database_errors, open_database
from services.runtime.errors import Unavailable
from tests.vanishing_proxy import VanishingProxy, vanishing_proxy


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that nobody listens on, held so that nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def test_a_database_that_answers_passes_its_check(database_url: str) -> None:
    async with open_database(database_url, "test") as engine:
        await check_database(engine)


async def test_sessions_are_in_utc_and_say_whose_they_are(database_url: str) -> None:
    async with open_database(database_url, "test") as engine, engine.connect() as connection:
        zone = await connection.scalar(text("SHOW timezone"))
        name = await connection.scalar(text("SHOW application_name"))

    assert (zone, name) == ("UTC", "afin-test")


async def test_a_database_that_is_not_there_is_unavailable(free_port: int) -> None:
    url = f"postgresql://somebody:hush@127.0.0.1:{free_port}/nothing"
    async with open_database(url, "test") as engine:
        with pytest.raises(Unavailable, match="check the service's DATABASE_URL") as caught:
            async with database_errors():
                await check_database(engine)

    assert "hush" not in caught.value.message


async def test_a_database_that_does_not_exist_is_unavailable(database_url: str) -> None:
    url = database_url.replace("/test_", "/no_such_")
    async with open_database(url, "test") as engine:
        with pytest.raises(Unavailable):
            async with database_errors():
                await check_database(engine)


async def test_a_connection_that_the_server_ends_is_unavailable_and_the_next_is_made_anew(database_url: str) -> None:
    async with open_database(database_url, "test", pool_size=2) as engine:
        with pytest.raises(Unavailable):
            await ask_over_an_ended_connection(engine)

        await check_database(engine)


async def test_a_server_whose_machine_vanishes_while_it_is_waited_for_is_unavailable(database_url: str) -> None:
    async with (
        asyncio.timeout(60),
        vanishing_proxy(database_url) as (url, proxy),
        open_database(url, "test", silence=timedelta(seconds=1)) as engine,
    ):
        with pytest.raises(Unavailable):
            await ask_a_server_that_vanishes(engine, proxy)

        await check_database(engine)


async def test_a_wrong_statement_is_a_bug_and_no_outage(database_url: str) -> None:
    async with open_database(database_url, "test") as engine:
        with pytest.raises(DBAPIError):
            await ask(engine, "SELECT no_such_column")


async def ask(engine: AsyncEngine, statement: str) -> None:
    """As services do."""
    async with database_errors(), engine.connect() as connection:
        await connection.execute(text(statement))


async def ask_over_an_ended_connection(engine: AsyncEngine) -> None:
    """The server ends the session before the statement."""
    async with database_errors(), engine.connect() as doomed, engine.connect() as other:
        number = await doomed.scalar(text("SELECT pg_backend_pid()"))
        await other.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
        await doomed.execute(text("SELECT 1"))


async def ask_a_server_that_vanishes(engine: AsyncEngine, proxy: VanishingProxy) -> None:
    """Its machine is gone once it has the statement."""
    async with database_errors(), engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        proxy.has_passed.clear()
        waiting = asyncio.create_task(proxy.has_passed.wait())
        waiting.add_done_callback(lambda _: proxy.vanish())
        await connection.execute(text("SELECT pg_sleep(600)"))


async def test_values_of_a_statement_stand_in_no_error(database_url: str) -> None:
    async with open_database(database_url, "test") as engine, engine.connect() as connection:
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(text("SELECT no_such_column FROM (SELECT :client) AS x"), {"client": "a-client"})

    assert "a-client" not in str(caught.value)


async def test_waiting_for_a_connection_has_an_end(database_url: str) -> None:
    async with open_database(database_url, "test", pool_size=1) as engine, engine.connect():
        engine.sync_engine.pool._timeout = 0.05  # type: ignore[attr-defined]
        with pytest.raises(Unavailable):
            async with asyncio.timeout(20), database_errors():
                await check_database(engine)


@pytest.mark.parametrize("url", ["postgresql://u:p@h/d", "postgres://u:p@h/d", "postgresql+psycopg2://u:p@h/d"])
def test_any_url_of_a_postgresql_is_led_to_our_driver(url: str) -> None:
    assert asyncpg_url(url).drivername == "postgresql+asyncpg"


@pytest.mark.parametrize("url", ["mysql://u:hush@h/d", "no url: hush", "postgresql://u:hush@h:many/d"])
def test_any_other_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://") as caught:
        asyncpg_url(url)

    assert "hush" not in str(caught.value)
