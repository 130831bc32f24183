"""SIGTERM of each container while it is called: no call fails, and it ends by itself within its grace."""

import asyncio
from dataclasses import asdict
from time import monotonic
from typing import Any

from console.services import FULL_NAMES
from demo.stack.readiness import grpc_is_ready
from tests.containers import podman
from tests.containers.load import ASKED, PORTS, RATES, calls_of
from tests.serving.polite import polite_client

CALLS_BETWEEN = 100
PATIENCE_SECONDS = 120.0


async def stop_each(service: str, containers: list[str], clients: list[str]) -> dict[str, Any]:
    """Stops and starts each container of the service in turn, under load; figures, and what was wrong."""
    addresses = [f"{podman.address(name)}:{PORTS[service]}" for name in containers]
    problems, stops = list[str](), dict[str, Any]()
    calls = calls_of(service, clients)
    async with polite_client(addresses, RATES[service], calls, asked=ASKED[service]) as found:
        for name, address in zip(containers, addresses, strict=True):
            await _more(found.samples)
            stopped = await asyncio.to_thread(podman.stop, name)
            stops[name] = asdict(stopped)
            if stopped.exit_code != 0 or stopped.seconds >= stopped.grace:
                problems.append(f"{name} ended with {stopped.exit_code} after {stopped.seconds} s of {stopped.grace}")
            await _more(found.samples)
            await asyncio.to_thread(podman.start, name)
            if not await _gets_ready(address, service):
                problems.append(f"{name} did not get ready again")
        await _more(found.samples)
    if found.failed:
        problems.append(f"calls of {service} failed: {dict(found.failed)}")
    return {**found.figures(), "stops": stops, "problems": problems}


async def _more(samples: list[Any]) -> None:
    """Returns when some calls more have ended."""
    wanted = len(samples) + CALLS_BETWEEN
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(samples) < wanted:  # noqa: ASYNC110 - the client tells nobody
            await asyncio.sleep(0.05)


async def _gets_ready(address: str, service: str) -> bool:
    """Whether it can do its work within our patience."""
    begun = monotonic()
    while monotonic() - begun < PATIENCE_SECONDS:
        if await grpc_is_ready(address, FULL_NAMES[service]):
            return True
        await asyncio.sleep(0.2)
    return False
