"""All but the recommender is stopped, one after the other and together: answers stay; then new payments reach them."""

import asyncio
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pyarrow.compute as pc

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1 import recommender_pb2_grpc as rpc
from demo.dataset import Dataset
from demo.generator import generate
from demo.main_job.pipelines import run_pipeline
from demo.population.parameters import GeneratorParameters
from demo.source.store import create_schema, load
from tests.serving.asking import recommend
from tests.serving.polite import DEADLINE_SECONDS, Call, polite_client
from tests.serving.stack import RECOMMENDER, Parts, parts

RATE = 50
ASKED = 100
# Share of the time whose payments the source has at first.
FIRST_SHARE = 0.9
FRESH_SECONDS = 60
SMALL = GeneratorParameters(end=date(2026, 1, 1), clients=600, companies=300, days=365, payments=20_000)

Answers = list[bytes]


async def play(folder: Path, seconds: float, *, in_turn: bool = True) -> dict[str, Any]:
    """`seconds` of each outage; of that of all together alone unless `in_turn`."""
    whole = generate(SMALL)
    first = _first_of(whole)
    requests = _requests(first)
    first_day = pc.min(whole.payments["updated_at"]).as_py().date()
    async with parts(folder / "stack", first_day) as stack:
        await _fill(stack.source_url, first)
        for pipeline in (ingest_pb2.PIPELINE_COMPANIES, ingest_pb2.PIPELINE_RECOMMENDATIONS):
            await run_pipeline(stack.address("ingest"), pipeline, _ignore)
        epoch, pid = await _epoch_above(stack, 0), stack.processes[RECOMMENDER].pid
        before = await _answers(stack, requests)
        outages = [*([name] for name in stack.names if in_turn), stack.names]
        by_outage = {}
        for names in outages:
            by_outage["together" if len(names) > 1 else names[0]] = await _outage(
                stack, names, seconds, requests, before
            )
        await _fill(stack.source_url, whole)
        await run_pipeline(stack.address("ingest"), ingest_pb2.PIPELINE_RECOMMENDATIONS, _ignore)
        fresh = await _epoch_above(stack, epoch)
        is_the_same = stack.processes[RECOMMENDER].pid == pid
    problems = [f"{name}: {problem}" for name, found in by_outage.items() for problem in found["problems"]]
    if fresh <= epoch or not is_the_same:
        problems.append(f"epoch {fresh} is served after all came back, {epoch} before; same process: {is_the_same}")
    return {"outages": by_outage, "epoch_before": epoch, "epoch_after": fresh, "problems": problems}


async def _outage(
    stack: Parts, names: list[str], seconds: float, requests: list[pb.RecommendRequest], before: Answers
) -> dict[str, Any]:
    """Whatever stands on others is stopped before them, and started after them."""
    calls: list[Call] = [partial(recommend, request) for request in requests]
    async with polite_client([stack.address(RECOMMENDER)], RATE, calls) as found:
        for name in reversed(names):
            await stack.stop(name)
        await asyncio.sleep(seconds)
        during = await _answers(stack, requests)
        for name in names:
            await stack.start(name)
    changed = sum(one != other for one, other in zip(before, during, strict=True))
    problems = [f"{count} calls failed with {status}" for status, count in found.failed.items()]
    problems += [f"{changed} of {len(before)} answers changed"] if changed else []
    return {**found.figures(), "problems": problems}


async def _answers(stack: Parts, requests: list[pb.RecommendRequest]) -> Answers:
    """Without what is another in every answer."""
    async with grpc.aio.insecure_channel(stack.address(RECOMMENDER)) as channel:
        stub = rpc.RecommenderServiceStub(channel)
        answers = [await stub.Recommend(request, timeout=DEADLINE_SECONDS) for request in requests]
    for answer in answers:
        answer.ClearField("recommendation_id")
    return [answer.SerializeToString(deterministic=True) for answer in answers]


async def _epoch_above(stack: Parts, epoch: int) -> int:
    """That is served, once it is a newer one; the old one when that takes too long."""
    async with grpc.aio.insecure_channel(stack.address(RECOMMENDER)) as channel:
        stub = rpc.RecommenderServiceStub(channel)
        for _ in range(FRESH_SECONDS * 5):
            try:
                answer = await stub.GetIndexInfo(pb.GetIndexInfoRequest(), timeout=DEADLINE_SECONDS)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            else:
                if answer.index.epoch > epoch:
                    return answer.index.epoch
            await asyncio.sleep(0.2)
    return epoch


def _requests(dataset: Dataset) -> list[pb.RecommendRequest]:
    clients = pc.unique(dataset.payments["external_client_id"]).to_pylist()
    return [pb.RecommendRequest(client_id=client, max_results=10) for client in clients[:ASKED] if client]


def _first_of(dataset: Dataset) -> Dataset:
    updated = dataset.payments["updated_at"].cast("int64")
    until = pc.quantile(updated, q=FIRST_SHARE, interpolation="lower")[0]
    return replace(dataset, payments=dataset.payments.filter(pc.less_equal(updated, until)))


async def _fill(url: str, dataset: Dataset) -> None:
    connection = await asyncpg.connect(url)
    try:
        await create_schema(connection)
        await load(connection, dataset)
    finally:
        await connection.close()


def _ignore(_: ingest_pb2.Run) -> None:
    """Watches nothing."""
