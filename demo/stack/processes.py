"""Processes of the stack: started in order, waited for, started again when they die, stopped in reverse order."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from demo.errors import DemoError

READY_PATIENCE = timedelta(seconds=60)
STOP_PATIENCE = timedelta(seconds=30)
RESTART_PAUSE = timedelta(seconds=1)
LOG_TAIL_LINES = 12

Say = Callable[[str], None]
ReadyCheck = Callable[[], Awaitable[bool]]


class ProcessFailedError(DemoError):
    """A process ended or was not ready in time; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """`python -m module` with settings in its environment; `is_ready` asks it over the network."""

    name: str
    module: str
    environment: Mapping[str, str]
    log: Path
    is_ready: ReadyCheck


class SupervisedProcess:
    """One running process. It is in a session of its own: Ctrl-C reaches us alone, and we stop it in order."""

    def __init__(self, spec: ProcessSpec, say: Say) -> None:
        self.spec = spec
        self._say = say
        self._process: Process | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The id of the process that runs now; RuntimeError before the start."""
        if self._process is None:
            raise RuntimeError(f"{self.spec.name} was not started")
        return self._process.pid

    async def start(self) -> None:
        """Starts it and waits until it is ready; ProcessFailedError when it ends or takes too long."""
        self.spec.log.parent.mkdir(parents=True, exist_ok=True)
        with self.spec.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self.spec.module,
                env={**os.environ, **self.spec.environment},
                stdout=log,
                stderr=log,
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(READY_PATIENCE.total_seconds()):
                await self._wait_ready(self._process)
        except TimeoutError:
            raise ProcessFailedError(
                self._failure(f"was not ready in {READY_PATIENCE.total_seconds():.0f} s")
            ) from None

    async def keep_alive(self) -> None:
        """Starts it again whenever it dies, as an orchestrator would, until cancelled."""
        while self._process is not None:
            code = await self._process.wait()
            self._say(f"{self.spec.name} ended ({_ending(code)}); starting it again")
            await asyncio.sleep(RESTART_PAUSE.total_seconds())
            try:
                await self.start()
            except ProcessFailedError as failure:
                self._say(str(failure))

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for one that does not end in time."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_PATIENCE.total_seconds()):
                await self._process.wait()
        except TimeoutError:
            self._say(f"{self.spec.name} does not stop; killing it")
            self._process.kill()
            await self._process.wait()

    async def _wait_ready(self, process: Process) -> None:
        while not await self.spec.is_ready():
            if process.returncode is not None:
                raise ProcessFailedError(self._failure(f"ended at once ({_ending(process.returncode)})"))
            await asyncio.sleep(0.05)

    def _failure(self, problem: str) -> str:
        with self.spec.log.open(errors="replace") as log:
            log.seek(self._log_start)
            tail = log.read().splitlines()[-LOG_TAIL_LINES:]
        return "\n  ".join([f"{self.spec.name} {problem}; the end of {self.spec.log}:", *tail])


@asynccontextmanager
async def supervised(spec: ProcessSpec, say: Say) -> AsyncIterator[SupervisedProcess]:
    """Runs the process while the context is open."""
    process = SupervisedProcess(spec, say)
    keeper: asyncio.Task[None] | None = None
    try:
        await process.start()
        keeper = asyncio.create_task(process.keep_alive())
        yield process
    finally:
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        await process.stop()


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
