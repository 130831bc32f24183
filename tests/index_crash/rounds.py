"""One run after the other: rows come, an index is built and published, and processes die meanwhile."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from time import monotonic

import psutil

from afin.indexer.v1 import indexer_pb2 as pb
from tests.index_crash.driver import Driver, StuckError
from tests.index_crash.verdict import (
    problem_of_service,
    problems_of_folders,
    problems_of_publications,
    problems_of_versions,
    publications,
)
from tests.index_crash.watch import Watch, watching
from tests.index_crash.world import World
from tests.integration.indexer.warehouse_rows import WATERMARK, Payment, add_payments, code_of

HOUR = timedelta(hours=1)
FIRST_GUESS_SECONDS = 8.0
CHILD_SHARE = 0.4
EXPERIMENT_RUNS, EXPERIMENT_BEGINS = 4, 2


@dataclass
class Outcome:
    """What came of all runs. `kills`: by what died and where."""

    runs: int = 0
    answers: int = 0
    repeated_calls: int = 0
    epochs: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


async def play(opened: World, runs: int, seed: int, tell: Callable[[], None]) -> Outcome:
    """All runs in a world of their own; `tell` is called after each."""
    outcome, begun = Outcome(), monotonic()
    async with watching(opened.recommender.port) as watch:
        rounds = _Rounds(opened, watch, random.Random(seed), outcome)
        for number in range(1, runs + 1):
            try:
                await rounds.play(number)
            except StuckError as error:
                outcome.problems.append(str(error))
                break
            finally:
                tell()
        outcome.problems += await rounds.end()
    outcome.problems += watch.problems
    outcome.answers, outcome.repeated_calls = watch.answers, rounds.driver.repeated
    outcome.kills += opened.indexer.deaths.kills
    outcome.seconds = monotonic() - begun
    return outcome


class _Rounds:
    def __init__(self, opened: World, watch: Watch, chance: random.Random, outcome: Outcome) -> None:
        self._world = opened
        self._watch = watch
        self._chance = chance
        self._outcome = outcome
        self._usual_seconds = FIRST_GUESS_SECONDS
        self.driver = Driver(opened.indexer.port)

    async def play(self, number: int) -> None:
        """One run, and one kill at any moment of it beside those at the indexer's failpoint."""
        watermark = WATERMARK + number * HOUR
        await add_payments(self._world.database_url, [self._payment() for _ in range(5)], watermark)
        begun = monotonic()
        publishing = asyncio.create_task(self._publish(number))
        await self._kill_at_some_moment(publishing)
        publication = await publishing
        self._usual_seconds = monotonic() - begun
        self._outcome.runs += 1
        self._outcome.epochs = publication.epoch
        if (epoch := await self._watch.reload()) != publication.epoch:
            self._note(number, f"epoch {publication.epoch} was published, epoch {epoch} is served")
        self._judge(number)

    async def _publish(self, number: int) -> pb.Publication:
        """In some runs an experiment starts or ends as well; in those between it goes on."""
        publication = await self.driver.run(f"run-{number}")
        if number % EXPERIMENT_RUNS == EXPERIMENT_BEGINS:
            return await self.driver.start_experiment()
        if number % EXPERIMENT_RUNS == 0:
            return await self.driver.end_experiment()
        return publication

    async def end(self) -> list[str]:
        """After the last run: the same rows come to the same version, and nothing is left over."""
        indexer = self._world.indexer
        indexer.choose_failpoint = str
        indexer.kill()
        last = publications(self._world.store)[-1:]
        again = await self.driver.run("undisturbed")
        await self.driver.prune()
        found = [] if [again.version] == [each.version for each in last] else [f"undisturbed: {again}, not {last}"]
        folders = problems_of_folders(self._world.work, self._world.scratch, indexer.process.pid)
        return [*found, *folders, *problems_of_versions(self._world.store)]

    async def _kill_at_some_moment(self, publishing: "asyncio.Task[object]") -> None:
        """While the run goes on: of the indexer's children one, or the indexer itself."""
        moment = self._chance.uniform(0, self._usual_seconds)
        await asyncio.wait([publishing], timeout=moment)
        children = self._children()
        if children and self._chance.random() < CHILD_SHARE:
            child = self._chance.choice(children)
            with suppress(psutil.NoSuchProcess):
                name = child.cmdline()[2].rpartition(".")[2]
                os.kill(child.pid, signal.SIGKILL)
                self._outcome.kills[f"child {name}"] += 1
            return
        self._world.indexer.kill()

    def _children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self._world.indexer.process.pid).children()
        except psutil.NoSuchProcess:
            return []

    def _judge(self, number: int) -> None:
        store = self._world.store
        found = chain(
            problems_of_publications(publications(store), self._watch.seen),
            problem_of_service(store),
            problems_of_versions(store),
        )
        for problem in found:
            self._note(number, problem)

    def _note(self, number: int, problem: str) -> None:
        self._outcome.problems.append(f"run {number}: {problem}")

    def _payment(self) -> Payment:
        group, number = self._chance.randrange(4), self._chance.randrange(10)
        client = group + 4 * self._chance.randrange(40)
        return Payment(f"client-{group}-{client}", code_of(group * 10 + number), WATERMARK - HOUR * number)
