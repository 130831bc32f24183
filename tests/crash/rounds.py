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
from tests.crash.moves import Companies, Payments, as_json
from tests.crash.plan import STEP, Plan
from tests.crash.rebuilt import judge_rebuild
from tests.crash.report import Report
from tests.crash.season import World, world
from tests.crash.verdict import Verdict, judge_companies, judge_payments

ROUNDS = [("recommendations",), ("backfill",), ("companies",), ("reconcile",), ("recommendations", "backfill")]
ROUND_WEIGHTS = [6, 2, 1, 1, 2]


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
            report.add_rebuild(await judge_rebuild(opened), f"seed {plan.seed}")
        finally:
            report.add_deaths(opened.deaths)


class Rounds:
    """The runs of one season."""

    def __init__(self, opened: World, plan: Plan, report: Report) -> None:
        self._world = opened
        self._plan = plan
        self._report = report
        self._clock = plan.begin
        self._chance = random.Random(plan.seed)
        self._payments = Payments(self._chance, plan.begin)
        self._companies = Companies(self._chance)
        self._expected = Expectation(plan.first_moment.date())
        self._mischief = Mischief(opened.scene, random.Random(plan.seed), report.faults)

    async def begin(self) -> None:
        """The first catalogue, without which no payments are loaded."""
        self._show()
        await self._run_to_data(lambda name: self._world.client.trigger(pb.PIPELINE_COMPANIES, name), "first")

    async def play(self, number: int) -> bool:
        """One run; whether others can follow."""
        self._clock += STEP
        self._payments.move(self._clock)
        pipelines = self._chance.choices(ROUNDS, ROUND_WEIGHTS)[0]
        triggers = [self._choose(pipeline) for pipeline in pipelines]
        self._expected.is_mixed = len(pipelines) > 1
        self._show()
        faults = asyncio.gather(*self._mischief.plan())
        try:
            runs = await asyncio.gather(*(self._run_to_data(trigger, str(number)) for trigger in triggers))
            await faults
            verdict = await self._judge(pipelines[0], runs[0])
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
        if pipeline == "recommendations":
            self._expected.daily_pass(rows, self._clock, len(self._payments.bad))
            return lambda name: client.trigger(pb.PIPELINE_RECOMMENDATIONS, name)
        if pipeline == "reconcile":
            self._expected.full_pass(rows, len(self._payments.bad))
            return lambda name: client.trigger(pb.PIPELINE_RECONCILE, name)
        if pipeline == "companies":
            self._companies.move()
            return lambda name: client.trigger(pb.PIPELINE_COMPANIES, name)
        last = (self._clock - timedelta(days=self._chance.randint(0, 2))).date()
        first = last - timedelta(days=self._chance.randint(0, 1))
        self._expected.backfill(rows, first, last)
        return lambda name: client.backfill(first, last, name)

    def _show(self) -> None:
        source = self._world.scene.source
        source.now = self._clock
        source.payments = [*map(as_json, self._payments.rows), *self._payments.bad]
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
        return await judge_payments(self._world.database, self._expected, runs)

    def _calm_down(self) -> None:
        """What was left over of this run's faults does not count as the next one's."""
        scene = self._world.scene
        scene.source.misdeeds.clear()
        if scene.objects:
            scene.objects.faults.clear()
        for replica in scene.ingests:
            replica.thaw()
