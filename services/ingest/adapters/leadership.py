"""One leader among all replicas: the holder of a session's advisory lock in PostgreSQL.

The lock lives exactly as long as its connection, and work stops when the connection does. Each leader has an epoch of
its own, higher than all before it: what a former one that does not know it yet might still write is refused by that.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.adapters.tables import table_errors
from services.ingest.workflow.errors import LeadershipLost
from services.runtime.database import sqlstate
from services.runtime.errors import ServiceError, Unavailable
from services.runtime.failpoints import Failpoint, passing

RETRY_INTERVAL = timedelta(seconds=1)
HEARTBEAT_TIMEOUT = timedelta(seconds=5)
TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended('afin/ingest/leader', 0))")
# The heartbeat comes every second: a leader that is frozen, or whose machine is gone, loses the lock.
GIVE_UP_WHEN_SILENT = (text("SET idle_session_timeout = '8s'"), text("SET lock_timeout = '2s'"))
# Our transactions are short: a session that keeps one open and says nothing is a frozen process's, and may hold rows
# that the next leader needs. Between two messages of one statement it is idle to none of PostgreSQL's timeouts; so
# whoever leads, or wants to, ends it.
END_FROZEN = text("""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND application_name LIKE 'afin-ingest%'
        AND state <> 'idle' AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - interval '5s'
""")
LOCK_NOT_AVAILABLE = "55P03"
NEXT_EPOCH = text("UPDATE ingest.leadership SET epoch = epoch + 1 RETURNING epoch")

log = structlog.get_logger(__name__)


class Leadership:
    """Does `work(epoch)` while this process leads, again and again, until cancelled."""

    def __init__(self, engine: AsyncEngine, work: Callable[[int], Awaitable[None]]) -> None:
        self._engine = engine
        self._work = work
        self._problem = ""

    async def keep_trying(self) -> None:
        """Takes the leadership whenever it is free. Whatever ends the work, the next try comes a second later."""
        while True:
            try:
                await self._try_once()
            except ServiceError as error:
                self._tell(error.message)
            except LeadershipLost as error:
                log.warning("led by another", problem=str(error))
            except Exception:
                log.exception("leading failed")
            await asyncio.sleep(RETRY_INTERVAL.total_seconds())

    async def _try_once(self) -> None:
        async with table_errors(), _lock_session(self._engine) as connection:
            await connection.execute(END_FROZEN)
            if not await connection.scalar(TRY_LOCK):
                self._tell("")
                return
            epoch = await _next_epoch(connection)
            log.info("leading", epoch=epoch)
            passing(Failpoint.LEADER_ELECTED)
            self._tell("")
            try:
                await _first_to_end(self._work(epoch), _until_lost(connection))
            finally:
                log.info("no longer leading")

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.warning("cannot lead", problem=problem)
        self._problem = problem


@asynccontextmanager
async def _lock_session(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection of its own, closed for good at the end, and with it whatever lock it holds."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            yield connection
        finally:
            await connection.invalidate()


async def _next_epoch(connection: AsyncConnection) -> int:
    for statement in GIVE_UP_WHEN_SILENT:
        await connection.execute(statement)
    try:
        return int((await connection.execute(NEXT_EPOCH)).scalar_one())
    except DBAPIError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            raise Unavailable("the last transaction of the former leader is not over yet") from error
        raise


async def _until_lost(connection: AsyncConnection) -> None:
    """Returns when the connection has died, or stopped answering."""
    lost = asyncio.Event()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    driver.add_termination_listener(lambda _: lost.set())
    while not lost.is_set():
        async with asyncio.timeout(HEARTBEAT_TIMEOUT.total_seconds()):
            await connection.execute(END_FROZEN)
        with suppress(TimeoutError):
            async with asyncio.timeout(RETRY_INTERVAL.total_seconds()):
                await lost.wait()


async def _first_to_end(*works: Awaitable[None]) -> None:
    """Runs all, ends all with the first that ends, and raises what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
