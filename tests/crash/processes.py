"""Replicas of the services that die, by our hand or at a failpoint, and are started again at once."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from services.runtime.failpoints import VARIABLE

START_SECONDS = 60
TAIL_LINES = 15


class EndedByItselfError(Exception):
    """A service did what no fault explains."""


@dataclass
class Deaths:
    """How processes died, and how long there was no leader after one was killed while another candidate was up."""

    kills: Counter[str] = field(default_factory=Counter)
    candidates: list["Replica"] = field(default_factory=list)
    takeovers: list[float] = field(default_factory=list)
    leader: "Replica | None" = None
    _leaderless_since: float | None = None

    def tell_death(self, replica: "Replica", cause: str) -> None:
        """A process was killed."""
        self.kills[cause] += 1
        has_successor = any(other.is_up for other in self.candidates if other is not replica)
        if replica is self.leader:
            self.leader, self._leaderless_since = None, monotonic() if has_successor else None
        elif not has_successor:
            # Whoever was to follow has died as well: what is waited for now is a start of a process.
            self._leaderless_since = None

    def tell_leader(self, replica: "Replica") -> None:
        """A process leads from now on."""
        self.leader = replica
        if self._leaderless_since is not None:
            self.takeovers.append(monotonic() - self._leaderless_since)
            self._leaderless_since = None


@dataclass
class Replica:
    """One process of a service. `choose_failpoint` arms each life of it; empty: none."""

    module: str
    environment: Mapping[str, str]
    port: int
    log: Path
    deaths: Deaths
    choose_failpoint: Callable[[], str]
    is_frozen: bool = False
    events: list[str] = field(default_factory=list)
    _failpoint: str = ""
    _process: Process | None = None
    _ready: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def process(self) -> Process:
        """The one that runs now."""
        assert self._process is not None
        return self._process

    @property
    def is_up(self) -> bool:
        """It listens, and can answer."""
        return self._ready.is_set() and not self.is_frozen

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._send(signal.SIGKILL):
            self._failpoint = "at any moment"

    def freeze(self) -> None:
        """SIGSTOP: it holds its connections, and does nothing."""
        self.is_frozen = self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it stopped."""
        if self.is_frozen:
            self._send(signal.SIGCONT)
        self.is_frozen = False

    def _send(self, number: signal.Signals) -> bool:
        """Whether it could be told. (What asyncio has for it takes the end of a dying process from asyncio itself.)"""
        if self._process is None or self._process.returncode is not None:
            return False
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, number)
        return True

    async def wait_up(self) -> None:
        """Returns once it listens."""
        async with asyncio.timeout(START_SECONDS):
            await self._ready.wait()

    async def keep_alive(self) -> None:
        """Starts it again whenever it ends, until cancelled; then it is killed."""
        try:
            while True:
                await self._live()
        finally:
            if self._process is not None and self._send(signal.SIGKILL):
                await self._process.wait()

    async def _live(self) -> None:
        self._failpoint = self.choose_failpoint()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self.module,
            env={**os.environ, **self.environment, VARIABLE: self._failpoint},
            stdin=DEVNULL, stdout=PIPE, stderr=STDOUT,
        )  # fmt: skip
        assert self._process.stdout is not None
        with self.log.open("ab") as log:
            async for line in self._process.stdout:
                log.write(line)
                self._hear(line)
        code = await self._process.wait()
        self._ready.clear()
        self.is_frozen = False
        if code != -signal.SIGKILL:
            tail = "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-TAIL_LINES:])
            raise EndedByItselfError(f"{self.module} ended by itself with {code}; the end of {self.log}:\n{tail}")
        service = self.module.rpartition(".")[2]
        self.deaths.tell_death(self, f"{service} {self._failpoint.partition(':')[0]}")

    def _hear(self, line: bytes) -> None:
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            return
        self.events.append(str(entry.get("event")))
        if self.events[-1] == "gRPC listening":
            self._ready.set()
        if self.events[-1] == "leading":
            self.deaths.tell_leader(self)


@asynccontextmanager
async def alive(replicas: list[Replica]) -> AsyncIterator[None]:
    """All of them run, and are started again when they die, while the context is open; an unasked end is an error."""
    async with asyncio.TaskGroup() as group:
        keepers = [group.create_task(replica.keep_alive()) for replica in replicas]
        try:
            for replica in replicas:
                await replica.wait_up()
            yield
        finally:
            for keeper in keepers:
                keeper.cancel()
