"""What a failed statement means to a caller. An error's own text may quote a row: it goes no further than here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError

from services.runtime.database import DatabaseUnavailable, database_errors, sqlstate
from services.runtime.errors import FailedPrecondition, ServiceError, Unavailable

UNDEFINED = ("42P01", "3F000", "42703")  # table, schema, column
NO_RIGHT = ("42501",)
OUT_OF_TIME = ("57014",)
# Serialization failure, deadlock; a statement that was prepared before a migration, and is prepared anew.
CONFLICT = ("40001", "40P01", "0A000")
UNSTORABLE = ("22",)  # class: data exception


class StatementRefused(Exception):
    """PostgreSQL refused what it never should: a bug of ours. Names the place, never the values."""


class Conflict(Unavailable):
    """Another transaction was in the way; the same work may succeed when repeated."""

    reason = "CONFLICT"


@asynccontextmanager
async def statement_errors() -> AsyncIterator[None]:
    """Translates whatever the database throws; the traceback stays, the message that may quote a row does not."""
    try:
        async with database_errors():
            yield
    except DBAPIError as error:
        place = getattr(error.orig.__cause__, "constraint_name", None) if error.orig else None
        raise _meaning(sqlstate(error), place).with_traceback(error.__traceback__) from None


@asynccontextmanager
async def copy_errors(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """The same for COPY, which goes to the driver itself."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if connection.is_closed():
            raise DatabaseUnavailable from error
        raise _meaning(getattr(error, "sqlstate", None), None).with_traceback(error.__traceback__) from None


def _meaning(state: str | None, constraint: str | None) -> ServiceError | StatementRefused:
    code = state or ""
    if code.startswith(UNDEFINED):
        message = "the database is not migrated for this code; run python -m services.warehouse.migrate"
        return FailedPrecondition(message, reason="SCHEMA_NOT_MIGRATED")
    if code.startswith(NO_RIGHT):
        return FailedPrecondition("the database role may not do this; make it a member of afin_warehouse")
    if code.startswith(OUT_OF_TIME):
        return Unavailable("the database did not end the work in time; see its load, or raise the timeout")
    if code.startswith(CONFLICT):
        return Conflict("another transaction is in the way; try again")
    if code.startswith(UNSTORABLE):
        return FailedPrecondition("a value cannot be stored, e.g. a text with NUL; quarantine its row")
    return StatementRefused(f"SQLSTATE {code or 'unknown'}, constraint {constraint or 'none'}")
