"""What a run tells of the index that its last steps build, judge and publish."""

import asyncio

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2 as pb
from tests.integration.ingest.indexer_server import IndexerServer
from tests.integration.ingest.serving import Ingest, step_of


async def test_the_run_tells_what_changed_against_the_index_in_service(ingest: Ingest, indexer: IndexerServer) -> None:
    indexer.drift = indexer_pb2.Comparison(
        base="before",
        base_training_payments=1000,
        training_payments=2500,
        clients=indexer_pb2.Turnover(came=40, went=1),
        companies=indexer_pb2.Turnover(came=2, went=3),
        sample_clients=200,
        new_overlap=0.85,
        any_overlap=0.9,
    )
    await ingest.load_companies()

    step = step_of(await ingest.recommendations(), "validate_payments_index")

    assert step.detail.endswith(
        "published under epoch 1; against before: +1,500 training payments, clients +40 -1, companies +2 -3, "
        "85% of new and 90% of all recommendations to 200 clients are the same"
    )


async def test_an_index_that_does_not_pass_fails_the_run_with_what_was_found(
    ingest: Ingest, indexer: IndexerServer
) -> None:
    indexer.checks.append(indexer_pb2.Check(name="beats popularity", passed=False, detail="0.10 against 0.12"))
    await ingest.load_companies()

    run = await ingest.recommendations()

    assert run.state == pb.RUN_STATE_FAILED
    assert run.error.endswith("was not published: beats popularity: 0.10 against 0.12")


async def test_watching_a_run_shows_the_stages_of_the_build(ingest: Ingest, indexer: IndexerServer) -> None:
    await ingest.load_companies()
    indexer.open.clear()
    run = await ingest.run(pb.PIPELINE_RECOMMENDATIONS)
    seen: list[str] = []

    async for answer in ingest.stub.WatchRun(pb.WatchRunRequest(run_id=run.run_id), timeout=20):
        seen.append(step_of(answer.run, "create_payments_index").detail)
        if "build_annoy" in seen:
            indexer.open.set()
        last = answer.run

    assert "build_annoy" in seen
    assert last.state == pb.RUN_STATE_SUCCEEDED


async def test_what_a_load_changed_is_told_before_the_index_is_built(ingest: Ingest, indexer: IndexerServer) -> None:
    indexer.refused_refreshes = 1
    await ingest.load_companies()
    indexer.open.clear()
    before = indexer.refreshes

    run = await ingest.run(pb.PIPELINE_RECOMMENDATIONS)
    async with asyncio.timeout(20), indexer.refreshed:
        await indexer.refreshed.wait_for(lambda: indexer.refreshes > before)
    indexer.open.set()

    assert (await ingest.end_of(run.run_id)).state == pb.RUN_STATE_SUCCEEDED
