"""The migration as a command: applied once, checked, waited for, and never twice at the same time."""

import asyncio
import os
import subprocess
import sys

import asyncpg

from services.warehouse.migrate import current_revision, migrate
from services.warehouse.migrations.history import head_revision


def run(url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MIGRATION_DATABASE_URL": url, **settings}
    command = [sys.executable, "-W", "error", "-m", "services.warehouse.migrate", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_applies_what_is_missing_and_then_nothing(database_url: str) -> None:
    before = run(database_url, "--check")
    first, second, after = run(database_url), run(database_url), run(database_url, "--check")
    assert (before.returncode, first.returncode, second.returncode, after.returncode) == (1, 0, 0, 0)
    assert "revision none" in before.stdout
    assert first.stdout.startswith("applied 0001 ")
    assert "nothing to apply" in second.stdout
    assert head_revision() in after.stdout


async def test_two_migrations_at_once_are_one(database_url: str) -> None:
    applied = await asyncio.gather(migrate(database_url), migrate(database_url), migrate(database_url))
    assert sorted(map(bool, applied)) == [False, False, True]
    assert await current_revision(database_url) == head_revision()


async def test_a_migration_that_fails_changes_nothing(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE SCHEMA ingest; CREATE TABLE ingest.runs ()")
    result = await asyncio.to_thread(run, database_url)
    schemas = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname = 'warehouse'")
    await connection.close()
    assert result.returncode == 1
    assert schemas == []


async def test_another_database_of_the_cluster_shares_the_roles(database_url: str, warehouse_url: str) -> None:
    assert await migrate(database_url)


def test_a_database_that_does_not_answer_is_told_in_one_line() -> None:
    result = run("postgresql://u:secret@127.0.0.1:1/afin", MIGRATION_WAIT_SECONDS="0")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "does not answer" in result.stderr
    assert "secret" not in result.stderr


def test_a_wrong_setting_is_told_in_one_line() -> None:
    result = run("nonsense")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "MIGRATION_DATABASE_URL" in result.stderr
