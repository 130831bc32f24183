"""All publishers begin a round at once, each with a version of its own; then the epochs are counted."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from services.contracts.bundle import PUBLISHED_PREFIX, Publication, manifest_key
from services.contracts.variants import CHALLENGER, MAIN
from services.runtime.objects.store import ObjectStore
from tests.crash.objects import CREDENTIALS

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Raced:
    """A racer's answer: the version it published, its epoch, what it followed, and how often it was judged.

    `role`: whether the version is for everybody (main), or for an experiment's clients (challenger).
    """

    role: str
    version: str
    epoch: int
    followed: int
    judged: int


@dataclass
class Races:
    """What came of all rounds."""

    raced: list[Raced] = field(default_factory=list)
    stored: list[Publication] = field(default_factory=list)

    @property
    def lost_races(self) -> int:
        """How often a publisher came too late and was judged again."""
        return sum(each.judged - 1 for each in self.raced)

    def problems(self) -> list[str]:
        """Epochs must count from one without a gap, each for one publisher, who was judged against the one before.

        Who publishes a main version leaves the challenger before it as it was, and the other way round.
        """
        found = []
        epochs = [publication.epoch for publication in self.stored]
        if epochs != list(range(1, len(self.raced) + 1)):
            found.append(f"the epochs of {len(self.raced)} publications are {epochs}")
        if {each.epoch: (each.role, each.version) for each in self.raced} != _changed(self.stored):
            found.append("what publishers were told is not what is stored")
        found += [f"{each} does not follow the epoch before" for each in self.raced if each.followed != each.epoch - 1]
        return found


def _changed(stored: list[Publication]) -> dict[int, tuple[str, str]]:
    """By epoch: role and version of the one that it brought; none where it changed both, or nothing."""
    found = {}
    for publication, before in zip(stored, [None, *stored], strict=False):
        same_main = before is not None and publication.version == before.version
        same_challenger = publication.challenger == (before.challenger if before else None)
        if same_challenger and not same_main:
            found[publication.epoch] = (MAIN, publication.version)
        elif same_main and not same_challenger and publication.challenger:
            found[publication.epoch] = (CHALLENGER, publication.challenger.version)
    return found


async def race(store: ObjectStore, address: tuple[str, ...], publishers: int, rounds: int) -> Races:
    """`address`: the store's URL, and its endpoint if it has one."""
    races = Races()
    async with AsyncExitStack() as stack:
        racers = [await stack.enter_async_context(_racer(address)) for _ in range(publishers)]
        await asyncio.gather(*map(_answer, racers))
        for number in range(rounds):
            versions = [f"unknown-{number:06x}{place:06x}" for place in range(publishers)]
            for version in versions:
                store.put_if_absent(manifest_key(version), version.encode())
            # An experiment needs a main version beside it: the first round has none yet.
            roles = [MAIN if number == 0 or place % 2 else CHALLENGER for place in range(publishers)]
            races.raced += await asyncio.gather(*map(_publish, racers, roles, versions))
    races.stored = [Publication.model_validate_json(store.get(info.key)) for info in store.list(PUBLISHED_PREFIX)]
    return races


async def _publish(racer: Process, role: str, version: str) -> Raced:
    assert racer.stdin is not None
    racer.stdin.write(f"{role} {version}\n".encode())
    await racer.stdin.drain()
    epoch, followed, judged = map(int, (await _answer(racer)).split())
    return Raced(role, version, epoch, followed, judged)


async def _answer(racer: Process) -> str:
    assert racer.stdout is not None
    answer = (await asyncio.wait_for(racer.stdout.readline(), PATIENCE_SECONDS)).decode().strip()
    if not answer:
        raise AssertionError("a publisher ended in the middle of a race")
    return answer


@asynccontextmanager
async def _racer(address: tuple[str, ...]) -> AsyncIterator[Process]:
    command = (sys.executable, "-m", "tests.index_races.racer", *address)
    environment = {**os.environ, **CREDENTIALS}
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
