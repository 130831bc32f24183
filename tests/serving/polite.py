"""A client as there should be: one channel, deadlines, the standard retry policy, calls at an even pace.

Its calls come when they are due, whatever became of those before, and their latency counts from then.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import grpc

from afin.recommender.v1 import recommender_pb2_grpc as rpc
from services.recommender.servicer import FULL_NAME
from services.runtime.channels import channel_options

DEADLINE_SECONDS = 5.0
# Far beyond any deadline: what has not ended by then is told as NEVER_ENDED, and not waited for any longer.
LOST_SECONDS = 120.0
NEVER_ENDED = "never ended"
BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

# Gets the stub of the service that it is about.
Call = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """The service that is called."""

    full_name: str
    make_stub: Callable[[grpc.aio.Channel], Any]


RECOMMENDER = Asked(FULL_NAME, rpc.RecommenderServiceStub)


@dataclass(frozen=True, slots=True)
class Sample:
    """One call: when it was due (monotonic), seconds until its end, and the status it ended with."""

    due: float
    seconds: float
    status: str


@dataclass
class Calls:
    """All calls of a client so far."""

    samples: list[Sample] = field(default_factory=list)
    # Of calls that failed: how many were told what.
    told: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> Counter[str]:
        """Calls by status that is not OK."""
        return Counter(sample.status for sample in self.samples if sample.status != "OK")

    def figures(self) -> dict[str, Any]:
        """For a report."""
        ordered = sorted(sample.seconds * 1000 for sample in self.samples)
        return {
            "calls": len(ordered),
            "failed": dict(self.failed),
            "p50_ms": _quantile(ordered, 0.5),
            "p99_ms": _quantile(ordered, 0.99),
            "worst_ms": _quantile(ordered, 1),
            **({"told": dict(self.told.most_common(3))} if self.told else {}),
        }

    def histogram(self) -> dict[str, int]:
        """Calls by the bound, in ms, that their latency is within."""
        found: Counter[str] = Counter()
        for sample in self.samples:
            within = next((bound for bound in BOUNDS_MS if sample.seconds * 1000 <= bound), None)
            found[f"<= {within}" if within else "more"] += 1
        return {key: found[key] for key in [*(f"<= {bound}" for bound in BOUNDS_MS), "more"] if found[key]}

    def due_between(self, begin: float, end: float) -> "Calls":
        """Those that were due then."""
        return Calls([sample for sample in self.samples if begin <= sample.due < end])


@asynccontextmanager
async def polite_client(
    addresses: list[str],
    rate: float,
    calls: list[Call],
    credentials: grpc.ChannelCredentials | None = None,
    asked: Asked = RECOMMENDER,
) -> AsyncIterator[Calls]:
    """Makes `calls` in turn, `rate` a second in all, while the context is open; then waits for the last answers."""
    found, stop = Calls(), asyncio.Event()
    async with _channel(f"ipv4:{','.join(addresses)}", asked.full_name, credentials) as channel:
        stub = asked.make_stub(channel)
        await calls[0](stub)  # connects
        calling = asyncio.create_task(_keep_calling(stub, rate, calls, found, stop))
        try:
            yield found
        finally:
            stop.set()
            await calling


def _channel(target: str, full_name: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    options = channel_options(target, full_name)
    if credentials:
        return grpc.aio.secure_channel(target, credentials, options=options)
    return grpc.aio.insecure_channel(target, options=options)


async def _keep_calling(stub: object, rate: float, calls: list[Call], found: Calls, stop: asyncio.Event) -> None:
    begun, number = monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while not stop.is_set():
            due = begun + number / rate
            if (wait := due - monotonic()) > 0:
                await asyncio.sleep(wait)
            group.create_task(_call(stub, calls[number % len(calls)], due, found))
            number += 1


async def _call(stub: object, call: Call, due: float, found: Calls) -> None:
    status = "OK"
    try:
        async with asyncio.timeout(LOST_SECONDS):
            await call(stub)
    except TimeoutError:
        status = NEVER_ENDED
    except grpc.aio.AioRpcError as error:
        status = error.code().name
        found.told[f"{status}: {error.details()}"] += 1
    found.samples.append(Sample(due, monotonic() - due, status))


def _quantile(ordered: list[float], share: float) -> float:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1) if ordered else 0.0
