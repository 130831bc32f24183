"""What a load brings reaches recommendations of the running stack while no index is built."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2 as pb
from tests.e2e.canary.world import CALL_SECONDS, World, canary_world, ordinary
from tests.integration.ingest.source_server import NOW

CLIENT, NEWCOMER = "client-0", "client-of-today"
FRESH_SECONDS = 60
Holds = Callable[[pb.RecommendResponse], bool]


@pytest.mark.timeout(600)
async def test_payments_and_retired_companies_reach_answers_without_an_index(tmp_path: Path) -> None:
    async with canary_world(tmp_path / "state") as world:
        await world.run(ingest_pb2.PIPELINE_COMPANIES)
        await world.recommendations()
        before = await answer(world, CLIENT)
        code = before.recommendations[0].company_code
        assert not (await answer(world, NEWCOMER)).client_known

        world.source.payments += [paid(number, client, code) for number, client in ((800, CLIENT), (801, NEWCOMER))]
        await backfill(world)
        after = await until(world, CLIENT, lambda said: code not in codes(said))
        newcomer = await until(world, NEWCOMER, lambda said: said.client_known)

        gone = after.recommendations[0].company_code
        world.source.companies = [each for each in world.source.companies if each["company_code"] != gone]
        await world.run(ingest_pb2.PIPELINE_COMPANIES)
        left = await until(world, CLIENT, lambda said: gone not in codes(said))

        assert {after.index.version, newcomer.index.version, left.index.version} == {before.index.version}
        assert gone not in codes(await answer(world, "nobody"))


async def answer(world: World, client: str) -> pb.RecommendResponse:
    request = pb.RecommendRequest(client_id=client, max_results=15)
    return await world.recommender.Recommend(request, timeout=CALL_SECONDS, wait_for_ready=True)


def codes(said: pb.RecommendResponse) -> set[str]:
    return {each.company_code for each in said.recommendations}


def paid(number: int, client: str, code: str) -> dict[str, object]:
    at = NOW.isoformat()
    changes = {"external_client_id": client, "company_code": code, "payment_at": at, "created_at": at, "updated_at": at}
    return ordinary(number) | changes


async def backfill(world: World) -> None:
    """Loads the day's payments, and builds nothing."""
    day = NOW.date().isoformat()
    request = ingest_pb2.BackfillRequest(first_day=day, last_day=day)
    run_id = (await world.ingest.Backfill(request, timeout=CALL_SECONDS)).run.run_id
    watched = world.ingest.WatchRun(ingest_pb2.WatchRunRequest(run_id=run_id), timeout=CALL_SECONDS)
    states = [answered.run.state async for answered in watched]
    assert states[-1] == ingest_pb2.RUN_STATE_SUCCEEDED


async def until(world: World, client: str, holds: Holds) -> pb.RecommendResponse:
    """The first answer that is so."""
    asking = AsyncRetrying(
        retry=retry_if_result(lambda said: not holds(said)), wait=wait_fixed(0.05), stop=stop_after_delay(FRESH_SECONDS)
    )
    said: pb.RecommendResponse = await asking(answer, world, client)
    return said
