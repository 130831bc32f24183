"""The whole suite on one machine: databases, migrations, source API and the four services, while it is open."""

import asyncio
import fcntl
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.errors import DemoError
from demo.stack.options import HOST, StackOptions, taken_ports
from demo.stack.postgres import (
    DatabaseUrls,
    connected,
    create_databases,
    create_logins,
    embedded_database,
    given_database,
)
from demo.stack.processes import Say, SupervisedProcess, supervised
from demo.stack.services import console_spec, live_spec, service_specs, source_spec

STATE_HINT = "another afin runs on this state; stop it, or name another folder: STATE=folder (--state)"


class StackError(DemoError):
    """Why the stack cannot start, and what to do."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: where to call it, and its processes by name."""

    options: StackOptions
    databases: DatabaseUrls
    object_store_url: str
    source_url: str
    processes: dict[str, SupervisedProcess]

    def address(self, service: str) -> str:
        """host:port of a service's gRPC."""
        return f"{HOST}:{self.options.ports[service]}"


@asynccontextmanager
async def open_databases(options: StackOptions, say: Say) -> AsyncIterator[DatabaseUrls]:
    """PostgreSQL, migrated, with its logins; embedded unless options name one."""
    async with AsyncExitStack() as stack:
        options.state.mkdir(parents=True, exist_ok=True)
        stack.enter_context(_only_one(options.state))
        _refuse_taken(options)
        if options.database_url:
            urls = given_database(options.database_url)
        else:
            urls = stack.enter_context(embedded_database(options.state / "postgres"))
            await create_databases(urls)
            say("PostgreSQL runs (embedded)")
        await _migrate(urls)
        say("database is migrated")
        if urls.embedded:
            await create_logins(urls)
        yield urls


@asynccontextmanager
async def open_services(options: StackOptions, databases: DatabaseUrls, say: Say) -> AsyncIterator[Stack]:
    """The source API unless options name one, and the four services, each ready; stopped in reverse order."""
    objects = options.object_store_url or _local_objects(options.state)
    source = options.source_url or f"http://{HOST}:{options.ports['source']}"
    specs = service_specs(options, databases, objects, source)
    if not options.source_url:
        specs.insert(0, source_spec(options, databases))
    async with AsyncExitStack() as stack:
        processes: dict[str, SupervisedProcess] = {}
        for spec in specs:
            processes[spec.name] = await stack.enter_async_context(supervised(spec, say))
            say(f"{spec.name} serves on {HOST}:{options.ports[spec.name]}")
        yield Stack(options, databases, objects, source, processes)


@asynccontextmanager
async def open_console(stack: Stack, say: Say) -> AsyncIterator[str]:
    """The operators' page on a running stack, while the context is open; its address."""
    async with supervised(console_spec(stack.options), say):
        address = f"http://{HOST}:{stack.options.ports['console']}"
        say(f"console serves on {address}")
        yield address


@asynccontextmanager
async def open_live(stack: Stack, say: Say) -> AsyncIterator[None]:
    """The live mode on the stack's own source; StackError when that is not ours, or holds nothing to go by."""
    if stack.options.source_url:
        raise StackError("--live writes into the stack's own source; it goes without SOURCE_URL")
    async with connected(stack.databases.source) as connection:
        filled = await connection.fetchval("SELECT EXISTS (SELECT FROM source.payments)")
    if not filled:
        raise StackError("the source holds no payments to go by; run `make demo` first")
    async with supervised(live_spec(stack.options, stack.databases), say):
        say("live payments come in")
        yield


async def _migrate(urls: DatabaseUrls) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.warehouse.migrate",
        env={**os.environ, "MIGRATION_DATABASE_URL": urls.owner},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise StackError(f"the migration of the database failed: {output.decode().strip()}")


def _refuse_taken(options: StackOptions) -> None:
    wanted = {name: port for name, port in options.ports.items() if name != "source" or not options.source_url}
    taken = ", ".join(f"{port} ({name})" for name, port in taken_ports(wanted).items())
    if taken:
        raise StackError(
            f"ports are taken: {taken}; stop what listens there, or take others: FREE_PORTS=1 (--free-ports)"
        )


def _local_objects(state: Path) -> str:
    folder = state / "objects"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.as_uri()


@contextmanager
def _only_one(state: Path) -> Iterator[None]:
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(STATE_HINT) from None
        yield
