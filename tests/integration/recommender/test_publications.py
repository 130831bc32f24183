"""From no index to a first one, and from one to the next, while calls go on."""

import asyncio
from datetime import timedelta
from pathlib import Path

import grpc
import numpy as np

from afin.recommender.v1 import recommender_pb2 as pb
from services.contracts import bundle
from services.contracts.factors import padded
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import (
    COMPANIES,
    DIMENSION,
    client_of,
    planted,
    publish,
    publish_world,
    upload,
    write,
)
from tests.integration.recommender.serving import (
    NOT_SERVING,
    SERVING,
    Recommender,
    refusal,
    serving,
    serving_published,
)

SOON = timedelta(milliseconds=50)
EPOCHS = range(1, 7)
CALLERS = 8


async def test_without_an_index_calls_are_told_what_to_run(object_store: LocalObjectStore, tmp_path: Path) -> None:
    async with serving(object_store, tmp_path / "cache") as recommender:
        await refusal(recommender.reload())
        refused = await refusal(recommender.recommend(client_id=client_of(0)))

    assert refused.code == grpc.StatusCode.UNAVAILABLE
    assert refused.reason == "NO_INDEX"
    assert refused.message == "no index is published yet; run the pipeline recommendations"


async def test_without_an_index_the_process_lives_and_the_service_is_not_ready(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    async with serving(object_store, tmp_path / "cache") as recommender:
        await recommender.becomes(NOT_SERVING)
        await recommender.becomes(SERVING, service="")


async def test_a_first_publication_brings_the_service_up_without_a_restart(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    async with serving(object_store, tmp_path / "cache", SOON) as recommender:
        await recommender.becomes(NOT_SERVING)
        publish_world(object_store, tmp_path / "bundle", epoch=1)
        await recommender.becomes(SERVING)

        answer = await recommender.recommend(client_id=client_of(0))

    assert answer.index.epoch == 1


async def test_a_reload_says_whether_a_newer_index_was_taken(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publish_world(object_store, tmp_path / "first", epoch=1)
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        unchanged = await recommender.reload()
        publish_world(object_store, tmp_path / "second", 2, planted("B"))
        changed = await recommender.reload()

    assert (unchanged.changed, unchanged.index.epoch) == (False, 1)
    assert (changed.changed, changed.index.epoch) == (True, 2)


async def test_reloads_at_the_same_time_take_the_index_once(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publish_world(object_store, tmp_path / "first", epoch=1)
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        publish_world(object_store, tmp_path / "second", 2, planted("B"))
        answers = await asyncio.gather(*(recommender.reload() for _ in range(20)))

    assert {answer.index.epoch for answer in answers} == {2}


async def test_an_older_version_under_a_newer_epoch_is_taken(object_store: LocalObjectStore, tmp_path: Path) -> None:
    first = upload(object_store, tmp_path / "first", write(tmp_path / "first", planted("A")))
    publish(object_store, 1, first)
    publish_world(object_store, tmp_path / "second", 2, planted("B"))
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        publish(object_store, 3, first)
        answer = await recommender.reload()

    assert (answer.index.epoch, answer.index.version) == (3, first.version)


async def test_an_index_of_catalogue_alone_gives_the_popular_companies(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    world = planted()
    empty = np.empty((0, DIMENSION), np.float32)
    world.arrays.update({bundle.SOURCE_FILE: empty, bundle.TARGET_FILE: empty})
    world.annoy_vectors = padded(empty)
    publish_world(object_store, tmp_path / "bundle", 1, world)
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        answer = await recommender.recommend(client_id=client_of(0), max_results=100)

    assert len(answer.recommendations) == COMPANIES - 3


async def test_calls_never_fail_and_never_see_two_indexes_while_it_is_swapped(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    seen = {epoch: asyncio.Event() for epoch in EPOCHS}
    publish_world(object_store, tmp_path / "1", 1, planted("epoch-1"))
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        callers = [asyncio.create_task(call_until_all(seen, recommender)) for _ in range(CALLERS)]
        for epoch in EPOCHS[1:]:
            publish_world(object_store, tmp_path / str(epoch), epoch, planted(f"epoch-{epoch}"))
            await recommender.reload()
            async with asyncio.timeout(20):
                await seen[epoch].wait()
        answered = [await caller for caller in callers]

    assert all(epochs == sorted(epochs) for epochs in answered)


async def call_until_all(seen: dict[int, asyncio.Event], recommender: Recommender) -> list[int]:
    """Calls until every epoch has answered somebody; each answer, and each batch, must come from one index alone."""
    request = pb.RecommendRequest(client_id=client_of(1), max_results=100, with_reasons=True)
    batch = pb.BatchRecommendRequest(requests=[request, request])
    epochs: list[int] = []
    while not all(event.is_set() for event in seen.values()):
        answer = await recommender.stub.BatchRecommend(batch, timeout=20)
        (label,) = {label for response in answer.responses for label in labels_of(response)}
        epochs.append(int(label.removeprefix("epoch-")))
        seen[epochs[-1]].set()
    return epochs


def labels_of(answer: pb.RecommendResponse) -> set[str]:
    """Which indexes an answer came from, by each name in it and by its reference."""
    places = answer.recommendations
    names = [place.company_name for place in places] + [why.company_name for place in places for why in place.reasons]
    return {name.split()[0] for name in names} | {f"epoch-{answer.index.epoch}"}
