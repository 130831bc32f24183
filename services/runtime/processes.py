"""One service in several processes on one port: SO_REUSEPORT, the kernel gives each connection to one of them.

    parent    holds the port's number, serves /metrics of all, starts the children, starts those anew that end, passes
              the order to stop on. It serves no call
    child     the same program, told by its environment to share the port; ends when its parent does

A child listens only when it can answer, for the kernel asks nobody: what is not ready must not be in the group.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from services.runtime.lifecycle import run_until_stopped
from services.runtime.settings import ServiceSettings, cannot_listen
from services.runtime.telemetry import telemetry

PORT = "AFIN_SHARED_PORT"
# prometheus_client's own name: it looks for it when it is imported.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
FIRST_PAUSE, LAST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=30)
# A child that lives so long was well, and the next one starts without a long pause.
WELL = timedelta(seconds=20)
# So many times in a row a place had one that was not, and we give up.
GIVE_UP = 3
# Beyond the time for calls in flight, until a child that does not end is killed.
KILL_AFTER = timedelta(seconds=10)

RUNNING = Gauge("afin_processes_running", "Processes that serve, of those that are to.", registry=None)
RESTARTS = Counter("afin_process_restarts_total", "Processes started in place of one that ended.", registry=None)

log = structlog.get_logger(__name__)


def shared_port(environment: Mapping[str, str]) -> int | None:
    """In a child the port to share; None in any other process."""
    port = environment.get(PORT)
    return None if port is None else int(port)


@contextmanager
def reserved_port(host: str, port: int) -> Iterator[int]:
    """The number of a port that children may share inside; `port` 0 takes a free one. SystemExit where it is taken."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as alone, socket.socket(family, kind, protocol) as shared:
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            alone.bind(address)  # fails where anybody listens, one that would share as well
            alone.close()
            shared.bind(address)
        except OSError:
            raise cannot_listen(host, port) from None
        yield int(shared.getsockname()[1])


@contextmanager
def metrics_of_children() -> Iterator[tuple[CollectorRegistry, str]]:
    """What all children count, added up, and what we count of them; and the folder where they write it down."""
    with tempfile.TemporaryDirectory(prefix="afin-metrics-") as folder:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        registry.register(RUNNING)
        registry.register(RESTARTS)
        yield registry, folder


def run_in_processes(service: str, settings: ServiceSettings, count: int) -> None:
    """Runs `python -m services.<service>` so often, all on one port, until we are told to stop."""
    with (
        reserved_port(settings.host, settings.port) as port,
        metrics_of_children() as (registry, folder),
        telemetry(service, settings, registry),
    ):
        environment = {PORT: str(port), METRICS_FOLDER: folder}
        command = (sys.executable, "-m", f"services.{service}")
        plan = Plan(command, count, environment, timedelta(seconds=settings.drain_seconds))
        run_until_stopped(partial(supervise, plan))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run, and how often; `environment` is added to ours, `patience` is for calls in flight at the end."""

    command: tuple[str, ...]
    count: int
    environment: Mapping[str, str]
    patience: timedelta


async def supervise(plan: Plan, stop: asyncio.Event) -> None:
    """Keeps the children running until `stop`; SystemExit when none of them stays alive."""
    early = 0

    async def keep_one() -> None:
        nonlocal early
        pause = FIRST_PAUSE
        while not stop.is_set():
            began = time.monotonic()
            code = await _run_child(plan, stop)
            if stop.is_set():
                return
            well = time.monotonic() - began > WELL.total_seconds()
            early = 0 if well else early + 1
            if early >= GIVE_UP * plan.count:
                raise SystemExit("the processes end again and again; their log lines tell why")
            pause = FIRST_PAUSE if well else min(2 * pause, LAST_PAUSE)
            log.warning("process ended", code=code, restart_seconds=pause.total_seconds())
            RESTARTS.inc()
            await _pause(stop, pause)

    async with asyncio.TaskGroup() as group:
        for _ in range(plan.count):
            group.create_task(keep_one())


async def _run_child(plan: Plan, stop: asyncio.Event) -> int:
    """From its start to its end, which comes by itself or by `stop`; its exit code."""
    # Its standard input ends when we do, however that comes about.
    child = await asyncio.create_subprocess_exec(
        *plan.command, env={**os.environ, **plan.environment}, stdin=asyncio.subprocess.PIPE
    )
    log.info("process started", child=child.pid)
    RUNNING.inc()
    ended, told = asyncio.create_task(child.wait()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            child.send_signal(signal.SIGTERM)
            await asyncio.wait({ended}, timeout=(plan.patience + KILL_AFTER).total_seconds())
        return await ended if ended.done() else _kill(child)
    finally:
        if child.returncode is None:
            child.kill()
        told.cancel()
        ended.cancel()
        RUNNING.dec()
        mark_process_dead(child.pid, plan.environment[METRICS_FOLDER])  # type: ignore[no-untyped-call]


def _kill(child: asyncio.subprocess.Process) -> int:
    log.warning("process did not end in time", child=child.pid)
    child.kill()
    return -signal.SIGKILL


async def _pause(stop: asyncio.Event, pause: timedelta) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(pause.total_seconds()):
            await stop.wait()
