"""One run after the other: the source moves, a run is triggered, things go wrong, and what came of it is judged."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from afin.ingest.v1 import ingest_pb2 as pb
from tests.crash.client import StuckError
from tests.crash.expectation import Expectation
from tests.crash.faults import Mischief
from tests.crash.index import index_problems, published_epoch
from tests.crash.moves import Companies, Payments, Refused
from tests.crash.plan import STEP, Plan
from tests.crash.rebuilt import judge_rebuild
from tests.crash.report import Report
from tests.crash.season import World, world
from tests.crash.verdict import Verdict, judge_companies, judge_erasure, judge_payments, log_problems
from tests.integration.warehouse.oracle import Observation

ROUNDS: dict[tuple[str, ...], int] = {
    ("recommendations",): 6,
    ("backfill",): 2,
    ("companies",): 1,
    ("reconcile",): 1,
    ("recommendations", "backfill"): 2,
    ("replay",): 2,
    ("erasure",): 1,
    ("erasure", "backfill"): 1,
}
# Of the runs that have an index built, so many are followed to their end; the others are cancelled, their data there.
WITH_INDEX = ("recommendations", "erasure")
INDEX_SHARE = 0.4
INDEX_TRIES = 5
NOTHING_TO_TRAIN_ON = ("holds no training payments", "no training payment is to one of")


async def season(plan: Plan, report: Report, tell: Callable[[], None]) -> None:
    """Runs in a world of their own, entered in the report; `tell` is called after each."""
    async with world(plan) as opened:
        try:
            rounds = Rounds(opened, plan, report)
            await rounds.begin()
            for number in range(1, plan.runs + 1):
                is_over = not await rounds.play(number)
                tell()
                if is_over:
                    return
            verdict = await judge_rebuild(opened)
            verdict.problems += log_problems(plan.folder, rounds.clients)
            report.add_rebuild(verdict, f"seed {plan.seed}")
        finally:
            report.add_deaths(opened.deaths)


class Rounds:
    """The runs of one season."""

    def __init__(self, opened: World, plan: Plan, report: Report) -> None:
        self._world = opened
        self._plan = plan
        self._report = report
        self._clock = plan.begin
        # Apart from what faults lead to, so that a seed has the same rounds each time.
        self._rounds = random.Random(plan.seed).choices(list(ROUNDS), list(ROUNDS.values()), k=plan.runs)
        self._chance = random.Random(plan.seed)
        self._payments = Payments(random.Random(plan.seed), plan.begin)
        self._companies = Companies(self._chance)
        self._follows = random.Random(f"followed {plan.seed}")
        # Who was the last to see all that is refused, and what that was.
        self._seen: tuple[UUID, Refused] | None = None
        self._expected = Expectation(plan.first_moment.date())
        self._mischief = Mischief(opened.scene, random.Random(plan.seed), report.faults)

    @property
    def clients(self) -> set[str]:
        """All that ever paid."""
        return {*self._payments.clients, *self._expected.erased}

    async def begin(self) -> None:
        """The first catalogue, without which no payments are loaded."""
        self._show()
        await self._run_to_data(lambda name: self._world.client.trigger(pb.PIPELINE_COMPANIES, name), "first")

    async def play(self, number: int) -> bool:
        """One run; whether others can follow."""
        self._clock += STEP
        self._payments.move(self._clock)
        pipelines, is_followed = self._rounds[number - 1], self._follows.random() < INDEX_SHARE
        if pipelines == ("replay",) and not self._replayable():
            pipelines = ("recommendations",)
        triggers = [self._choose(pipeline) for pipeline in pipelines]
        self._expected.is_mixed = len(pipelines) > 1
        self._show()
        faults = asyncio.gather(*self._mischief.plan())
        try:
            runs = await asyncio.gather(*(self._run_to_data(trigger, str(number)) for trigger in triggers))
            await faults
            verdict = await self._judge(pipelines[0], runs[0])
            if is_followed and pipelines[0] in WITH_INDEX:
                verdict.problems += await self._end(runs[0][-1], is_erasure=pipelines[0] == "erasure")
            else:
                await self._world.client.cancel(runs[0][-1])
        except StuckError as error:
            # What the next run would find is anybody's guess.
            verdict = Verdict(problems=[str(error)], is_stuck=True)
        finally:
            await asyncio.gather(faults, return_exceptions=True)
            self._calm_down()
        self._report.add_run(" beside ".join(pipelines), verdict, f"seed {self._plan.seed}, run {number}")
        return not verdict.is_stuck

    def _choose(self, pipeline: str) -> Callable[[str], Awaitable[UUID]]:
        """Tells the expectation what will be read; how the run is triggered."""
        client, rows = self._world.client, self._payments.rows
        refused = self._payments.refused.without(self._expected.erased)
        if pipeline == "recommendations":
            self._expected.daily_pass(rows, self._clock, len(refused))
            return lambda name: client.trigger(pb.PIPELINE_RECOMMENDATIONS, name)
        if pipeline == "reconcile":
            self._expected.full_pass(rows, len(refused))
            return lambda name: client.trigger(pb.PIPELINE_RECONCILE, name)
        if pipeline == "companies":
            self._companies.move()
            return lambda name: client.trigger(pb.PIPELINE_COMPANIES, name)
        if pipeline == "erasure":
            erased = self._payments.replace_client()
            self._expected.erasure(erased)
            return lambda name: client.erase(erased, name)
        if pipeline == "replay":
            return self._choose_replay()
        return self._choose_backfill(rows, refused)

    def _choose_replay(self) -> Callable[[str], Awaitable[UUID]]:
        refused_by, refused = self._replayable() or (UUID(int=0), Refused([], []))
        self._expected.full_pass(refused.ahead, len(refused.bad))
        return lambda name: self._world.client.replay(refused_by, name)

    def _replayable(self) -> tuple[UUID, Refused] | None:
        """The run that was the last to see all that is refused, and what is left of that."""
        if self._seen is None:
            return None
        refused = self._seen[1].without(self._expected.erased)
        return (self._seen[0], refused) if len(refused) else None

    def _choose_backfill(self, rows: list[Observation], refused: Refused) -> Callable[[str], Awaitable[UUID]]:
        last = (self._clock - timedelta(days=self._chance.randint(0, 2))).date()
        first = last - timedelta(days=self._chance.randint(0, 1))
        self._expected.backfill(rows, first, last, len(refused.of_days(first, last)))
        return lambda name: self._world.client.backfill(first, last, name)

    def _show(self) -> None:
        source = self._world.scene.source
        source.now = self._clock
        source.payments = self._payments.as_json()
        source.companies = self._companies.as_json()

    async def _run_to_data(self, trigger: Callable[[str], Awaitable[UUID]], name: str) -> list[UUID]:
        """Runs until one brought all its data; a failed one is retried, or left and a new one made."""
        client = self._world.client
        runs = [await trigger(name)]
        while not (await client.settled(runs[-1])).has_data:
            self._report.retried += 1
            if self._chance.random() < 0.5:
                await client.retry(runs[-1])
            else:
                runs.append(await trigger(f"{name}-{len(runs)}"))
        return runs

    async def _judge(self, pipeline: str, runs: list[UUID]) -> Verdict:
        if pipeline == "companies":
            return await judge_companies(self._world.database, self._companies.listed())
        if pipeline == "erasure":
            return await judge_erasure(self._world.database, self._expected, self._world.store)
        if pipeline in ("recommendations", "reconcile"):
            self._seen = runs[-1], self._payments.refused
        return await judge_payments(self._world.database, self._expected, runs)

    async def _end(self, run_id: UUID, *, is_erasure: bool) -> list[str]:
        """What is wrong with the index that a run has built once its data are there; it is retried when it fails."""
        for _ in range(INDEX_TRIES):
            progress = await self._world.client.ended(run_id)
            epoch = await published_epoch(self._world, run_id)
            if epoch is not None:
                self._report.indexes += 1
                return await index_problems(self._world, epoch, self._expected.erased)
            if progress.state == "succeeded" and is_erasure:
                # An erasure does not fail for want of an index.
                return []
            if any(text in progress.error for text in NOTHING_TO_TRAIN_ON):
                return []
            await self._world.client.retry(run_id)
        return [f"run {run_id} ends without an index: {progress.error}"]

    def _calm_down(self) -> None:
        """What was left over of this run's faults does not count as the next one's."""
        scene = self._world.scene
        scene.source.misdeeds.clear()
        if scene.objects:
            scene.objects.faults.clear()
        for replica in scene.ingests:
            replica.thaw()
