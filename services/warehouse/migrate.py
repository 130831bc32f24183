"""`python -m services.warehouse.migrate [--check]`: brings the database's schemas to the newest revision, or checks it.

Run as the owner of the database, before the services; they never migrate, and say NOT_SERVING until this was done.
"""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

from alembic import command
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.database import DatabaseUrl, check_database, database_errors, open_database
from services.runtime.errors import ServiceError, Unavailable
from services.runtime.settings import load_settings
from services.warehouse.migrations.history import (
    VERSION_SCHEMA,
    VERSION_TABLE,
    alembic_config,
    head_revision,
    is_enough,
)

RETRY_INTERVAL = timedelta(seconds=0.5)
# Two migrators at once: the second waits, and finds nothing left to do.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('afin/migrations', 0))"


class MigrationSettings(BaseSettings):
    """What the command can be told, as MIGRATION_…; its user owns the database and may create roles."""

    model_config = SettingsConfigDict(env_prefix="MIGRATION_", frozen=True, extra="forbid")

    database_url: DatabaseUrl = Field(description="postgresql://owner:password@host:port/database")
    wait_seconds: float = Field(30, ge=0, le=3600, description="How long to wait for the database to answer.")


async def migrate(database_url: str, wait: timedelta = timedelta(0)) -> list[str]:
    """Applies what is missing, all in one transaction; the applied revisions, oldest first, as `0001 what it is`.

    On a database that newer code has migrated nothing is missing.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(database_errors())
        engine = await stack.enter_async_context(open_database(database_url, "migrate", pool_size=1))
        await _wait_for(engine, wait)
        connection = await stack.enter_async_context(engine.begin())
        await connection.execute(text(LOCK))
        await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {VERSION_SCHEMA}"))
        return await connection.run_sync(_upgrade)


async def current_revision(database_url: str, wait: timedelta = timedelta(0)) -> str | None:
    """The revision that the database is at; None for one that was never migrated."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(database_errors())
        engine = await stack.enter_async_context(open_database(database_url, "migrate", pool_size=1))
        await _wait_for(engine, wait)
        connection = await stack.enter_async_context(engine.connect())
        return await connection.run_sync(_revision)


async def _wait_for(engine: AsyncEngine, patience: timedelta) -> None:
    deadline = asyncio.get_running_loop().time() + patience.total_seconds()
    while True:
        try:
            async with database_errors():
                return await check_database(engine)
        except Unavailable:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(RETRY_INTERVAL.total_seconds())


def _upgrade(connection: Connection) -> list[str]:
    applied: list[str] = []
    if is_enough(_revision(connection), head_revision()):
        return applied
    config = alembic_config()
    scripts = ScriptDirectory.from_config(config)

    def note(step: MigrationInfo, **_: object) -> None:
        found = scripts.get_revisions(step.up_revision_ids)
        applied.extend(f"{script.revision} {script.doc}" for script in found if script)

    config.attributes.update(connection=connection, on_version_apply=note)
    command.upgrade(config, "head")
    return applied


def _revision(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE, "version_table_schema": VERSION_SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


async def _run(settings: MigrationSettings, *, check_only: bool) -> int:
    url, wait = settings.database_url.get_secret_value(), timedelta(seconds=settings.wait_seconds)
    if check_only:
        current, head = await current_revision(url, wait), head_revision()
        print(f"the database is at revision {current or 'none'}; this code needs {head}")
        return 0 if is_enough(current, head) else 1
    applied = await migrate(url, wait)
    print("\n".join(f"applied {step}" for step in applied) or f"nothing to apply; at revision {head_revision()}")
    return 0


def main() -> int:
    """The exit code: 0 done or nothing missing, 1 something missing or no database, 2 wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m services.warehouse.migrate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a revision is missing")
    arguments = parser.parse_args()
    settings = load_settings(MigrationSettings)
    try:
        return asyncio.run(_run(settings, check_only=arguments.check))
    except ServiceError as error:
        print(f"migration: {error.message}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
