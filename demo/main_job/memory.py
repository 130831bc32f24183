"""How much memory the processes of a stack take while they work, sampled from outside."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psutil

from services.runtime.clock import utc_now

INTERVAL = timedelta(milliseconds=50)
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident bytes of each process with its children, at a moment."""

    at: datetime
    resident: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MemoryLog:
    """All samples so far, oldest first."""

    samples: list[Sample] = field(default_factory=list)

    def peak_mib(self, name: str, start: datetime, end: datetime) -> float:
        """Most MiB that `name` held between two moments; the nearest sample when none lies between; 0 without any."""
        inside = [sample for sample in self.samples if start <= sample.at <= end]
        chosen = inside or sorted(self.samples, key=lambda sample: abs(sample.at - end))[:1]
        return round(max((sample.resident.get(name, 0) for sample in chosen), default=0) / MIB, 1)


@asynccontextmanager
async def memory_log(pids: Callable[[], Mapping[str, int]]) -> AsyncIterator[MemoryLog]:
    """Samples while the context is open; `pids` is asked each time, since a process may be started again."""
    log = MemoryLog()
    sampling = asyncio.create_task(_sample(log, pids))
    try:
        yield log
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)


async def _sample(log: MemoryLog, pids: Callable[[], Mapping[str, int]]) -> None:
    while True:
        resident = {name: _resident(pid) for name, pid in pids().items()}
        log.samples.append(Sample(utc_now(), resident))
        await asyncio.sleep(INTERVAL.total_seconds())


def _resident(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return sum(_own(each) for each in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _own(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
