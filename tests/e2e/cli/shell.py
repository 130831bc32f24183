"""A person's shell before a running stack, whose source the test holds in its hand."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from tests.e2e.canary.world import SETTINGS, ordinary
from tests.e2e.conftest import serving_afin
from tests.integration.ingest.source_server import NOW, SourceServer, company, payment, source_server

WAIT_SECONDS = 120
# A terminal between us and the command: it makes SIGINT of Ctrl-C.
SPAWN = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
# Dated beyond the source's clock: refused until that has moved on.
EARLY = payment(9_000, id="p-early", updated_at=(NOW + timedelta(hours=1)).isoformat())
UNREADABLE = payment(9_001, id="p-unreadable", amount="a lot")


@dataclass(frozen=True)
class Shell:
    """`afin ...` as it is typed, and the source behind the stack."""

    source: SourceServer
    profiles: Path
    _loop: asyncio.AbstractEventLoop

    def afin(self, *arguments: str, stdin: str = "", code: int = 0) -> Result:
        """Runs a command, which must end with that code."""
        done = CliRunner().invoke(app, arguments, input=stdin, env=self.environment())
        assert done.exit_code == code, f"{arguments}: {done.output}"
        return done

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """What a command gives to a program."""
        return json.loads(self.afin(*arguments, "--json", stdin=stdin).stdout)

    def environment(self) -> dict[str, str]:
        """That of the shell."""
        return {"AFIN_PROFILES": str(self.profiles), "GRPC_ENABLE_FORK_SUPPORT": "0"}

    def tell_source(self, change: Callable[[], Any]) -> None:
        """Has the source do something in its own thread."""
        self._loop.call_soon_threadsafe(change)


@contextmanager
def open_shell(folder: Path) -> Iterator[Shell]:
    """A stack with a catalogue and payments in its source; two of these are refused."""
    with _source_in_a_thread() as (source, loop), pytest.MonkeyPatch.context() as environment:
        source.companies = [company(number) for number in range(20)]
        source.payments = [*(ordinary(number) for number in range(600)), EARLY, UNREADABLE]
        settings = {**SETTINGS, "INGEST_FIRST_DAY": (NOW - timedelta(days=60)).date().isoformat()}
        for name, value in {**settings, "SOURCE_URL": source.url}.items():
            environment.setenv(name, value)
        with serving_afin("up", "--state", str(folder)):
            for name in settings:
                environment.delenv(name)
            yield Shell(source, folder / "profiles.toml", loop)


@contextmanager
def _source_in_a_thread() -> Iterator[tuple[SourceServer, asyncio.AbstractEventLoop]]:
    ready, found = threading.Event(), list[tuple[SourceServer, asyncio.AbstractEventLoop, asyncio.Event]]()

    async def serve() -> None:
        over = asyncio.Event()
        async with source_server() as source:
            found.append((source, asyncio.get_running_loop(), over))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(WAIT_SECONDS)
    source, loop, over = found[0]
    try:
        yield source, loop
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(WAIT_SECONDS)


@dataclass
class Terminal:
    """`afin` on a terminal of its own; `shown` is all that came of it."""

    process: subprocess.Popen[bytes]
    shown: bytes = b""

    def until(self, text: str) -> None:
        """Reads until the text has been shown."""
        assert self.process.stdout is not None
        while text.encode() not in self.shown:
            more = os.read(self.process.stdout.fileno(), 4096)
            assert more, self.shown.decode()
            self.shown += more

    def press(self, keys: bytes) -> None:
        """Presses keys: 3 is the byte of Ctrl-C."""
        assert self.process.stdin is not None
        self.process.stdin.write(keys)
        self.process.stdin.flush()

    def ended(self) -> int:
        """The exit code, when all is read."""
        assert self.process.stdout is not None
        self.shown += self.process.stdout.read()
        return self.process.wait(WAIT_SECONDS)


@contextmanager
def terminal(shell: Shell, *arguments: str) -> Iterator[Terminal]:
    """Starts a command on a terminal."""
    environment = {**os.environ, **shell.environment(), "TERM": "xterm-256color", "COLUMNS": "160"}
    command = [sys.executable, "-c", SPAWN, str(Path(sys.executable).parent / "afin"), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        try:
            yield Terminal(process)
        finally:
            process.kill()
