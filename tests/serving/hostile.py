"""Hostile clients of each kind in turn, and a polite one beside them that must not notice."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc

from tests.integration.runtime.access.authority import Authority
from tests.serving.asking import plain_calls
from tests.serving.hostile_process import KINDS, LEAST, TLS_KINDS
from tests.serving.polite import polite_client
from tests.serving.replica import Replica, running
from tests.serving.world import World, free_port

RATE = 50
# What is promised to the polite client.
P99_MS = 100.0
ENDING_SECONDS = 30


async def play(world: World, folder: Path, seconds: float) -> dict[str, Any]:
    """`seconds` of each kind."""
    authority = Authority(folder, "authority")
    pair = authority.issue("recommender")
    secured = {
        "TLS_CERT_FILE": str(pair.certificate),
        "TLS_KEY_FILE": str(pair.key),
        "HEALTH_PORT": str(free_port()),
    }
    plain, tls = Replica(world, folder), Replica(world, folder, settings=secured)
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
    world.publish_next()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(plain, tls))
        by_kind = {kind: await _beside(kind, plain, seconds, world, None) for kind in KINDS}
        by_kind |= {kind: await _beside(kind, tls, seconds, world, credentials) for kind in TLS_KINDS}
    problems = [f"{kind}: {problem}" for kind, found in by_kind.items() for problem in _problems(found)]
    return {"kinds": by_kind, "problems": problems}


async def _beside(
    kind: str, replica: Replica, seconds: float, world: World, credentials: grpc.ChannelCredentials | None
) -> dict[str, Any]:
    async with polite_client([replica.address], RATE, plain_calls(world), credentials) as calls:
        command = [sys.executable, "-m", "tests.serving.hostile_process", kind, str(replica.port), str(seconds)]
        quiet = os.environ | {"GRPC_VERBOSITY": "NONE"}
        process = await asyncio.create_subprocess_exec(*command, env=quiet, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(seconds + ENDING_SECONDS):
            told, _ = await process.communicate()
    memory = replica.process.memory_info().rss >> 20
    return {**calls.figures(), "rss_mib": memory, "hostile_exit_code": process.returncode, **_harm(kind, told)}


def _harm(kind: str, told: bytes) -> dict[str, Any]:
    done = json.loads(told or b"{}")
    name, least = LEAST[kind]
    return {"harm": done, "harm_was_done": done.get(name, 0) >= least}


def _problems(found: dict[str, Any]) -> list[str]:
    told = {
        f"calls of the polite client failed: {found['failed']}": bool(found["failed"]),
        f"the polite client's p99 was {found['p99_ms']} ms, over {P99_MS}": found["p99_ms"] > P99_MS,
        f"the hostile client ended with {found['hostile_exit_code']}": bool(found["hostile_exit_code"]),
        f"the hostile client did too little harm: {found['harm']}": not found["harm_was_done"],
    }
    return [line for line, is_true in told.items() if is_true]
