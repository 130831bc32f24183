"""A second version before a share of the clients, over gRPC."""

import asyncio
from itertools import pairwise

import grpc
import pytest

from afin.indexer.v1 import indexer_pb2 as pb
from services.contracts import bundle
from services.contracts.bundle import Publication, publication_key
from tests.integration.indexer.conftest import World
from tests.integration.indexer.damage import flip
from tests.integration.indexer.serving import Refused, refusal, serving
from tests.integration.indexer.test_override import counted
from tests.integration.indexer.test_pruning import ERASE, _execute


async def test_an_experiment_from_its_start_to_its_end(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        started = (await indexer.start_experiment(world.second, share=0.1)).publication
        running = await indexer.version(world.second)
        share = counted("afin_indexer_challenger_share")
        changed = await indexer.change_experiment(0.5)
        ended = await indexer.stop_experiment(pb.EXPERIMENT_OUTCOME_PROMOTED)
        publications = (await indexer.publications()).publications

    assert (started.version, started.experiment.version, started.experiment.share) == (world.first, world.second, 0.1)
    assert started.reason == "to see; passed its validation"
    assert (running.experiment, running.in_service, running.epoch, share) == ("try", False, 0, 0.1)
    assert (changed.experiment.share, changed.experiment.since_epoch) == (0.5, 2)
    assert (ended.version, ended.HasField("experiment"), ended.reason) == (world.second, False, "seen enough")
    assert list(publications) == [ended, changed, started, publications[-1]]
    assert counted("afin_indexer_challenger_share") == 0.0


async def test_the_publication_names_the_challengers_manifest(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        await indexer.start_experiment(world.second)
        version = await indexer.version(world.second)

    challenger = Publication.model_validate_json(world.store.get(publication_key(2))).challenger
    assert challenger is not None
    assert challenger.manifest_sha256 == version.manifest_sha256


async def test_a_challenger_that_the_gate_refuses_needs_a_reason_all_the_same(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
    async with serving(world.settings(min_gain=0.99)) as indexer:
        refused = await indexer.start_experiment(world.second)
        overridden = await indexer.start_experiment(world.second, override_reason="a try")

    assert not refused.HasField("publication")
    assert not refused.validation.passed
    assert overridden.publication.reason == "to see; although it failed beats_popularity: a try"


async def test_a_damaged_challenger_is_never_put_before_clients(world: World) -> None:
    flip(world, bundle.ANNOY_FILE)
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.second, publish=True)
        answer = await indexer.start_experiment(world.first, override_reason="a try")

    assert not answer.HasField("publication")


async def test_a_nightly_version_replaces_the_main_one_alone(world: World) -> None:
    async with serving(world.settings(seed=3)) as indexer:
        await indexer.validate(world.first, publish=True)
        started = (await indexer.start_experiment(world.second)).publication
        nightly = (await indexer.build("nightly"))[-1].index_version.version
        published = (await indexer.validate(nightly, publish=True)).publication

    assert (published.version, published.experiment) == (nightly, started.experiment)


async def test_the_challenger_is_not_pruned_while_the_experiment_is_running(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.second, publish=True)
        await indexer.start_experiment(world.first)
        running = await indexer.prune(1)
        await indexer.stop_experiment()
        ended = await indexer.prune(1)

    assert (running, ended) == ({}, {world.first: "PRUNE_REASON_OLD"})


async def test_an_index_without_an_erased_client_leaves_no_challenger_that_knows_the_client(
    world: World, own_database: str
) -> None:
    world = World(own_database, world.objects, world.first, world.second)
    async with serving(world.settings(seed=5)) as indexer:
        await indexer.validate(world.first, publish=True)
        await indexer.start_experiment(world.second)
        await _execute(own_database, ERASE)
        clean = (await indexer.build("after"))[-1].index_version.version
        published = (await indexer.validate(clean, publish=True)).publication
        again = await refusal(indexer.start_experiment(world.second))
        left = (await indexer.versions()).index_versions

    assert published.version == clean
    assert not published.HasField("experiment")
    assert published.reason.endswith("the experiment try ends: its version was built before a client was erased")
    assert again.code is grpc.StatusCode.NOT_FOUND
    assert [version.version for version in left] == [clean]


async def test_changes_that_race_come_one_after_the_other(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        await indexer.start_experiment(world.second, share=0.01)
        shares = [step / 10 for step in range(1, 9)]
        raced = await asyncio.gather(
            *map(indexer.change_experiment, shares), indexer.roll_back(world.first), return_exceptions=True
        )
        publications = (await indexer.publications()).publications

    epochs = [publication.epoch for publication in publications]
    assert all(newer == older + 1 for newer, older in pairwise(epochs))
    assert not publications[0].HasField("experiment")
    answered = [each for each in raced if isinstance(each, pb.Publication)]
    assert len(answered) + sum(isinstance(each, grpc.aio.AioRpcError) for each in raced) == len(raced)
    assert sorted(each.epoch for each in answered) == sorted(epochs)[2:]


@pytest.mark.parametrize(
    ("name", "share", "field"),
    [
        ("", 0.5, "experiment"),
        ("main", 0.5, "experiment"),
        ("A b", 0.5, "experiment"),
        ("try", 0.0, "share"),
        ("try", 1.0, "share"),
        ("try", float("nan"), "share"),
        ("try", -1.0, "share"),
    ],
)
async def test_a_name_and_a_share_have_bounds(world: World, name: str, share: float, field: str) -> None:
    async with serving(world.settings()) as indexer:
        refused = [
            await refusal(indexer.start_experiment(world.second, name, share)),
            await refusal(indexer.change_experiment(share, name)),
        ]

    assert {each.code for each in refused} == {grpc.StatusCode.INVALID_ARGUMENT}
    assert all(each.message.startswith(f"{field}: ") for each in refused)


@pytest.mark.parametrize("outcome", [0, 3])
async def test_how_an_experiment_ends_must_be_said(world: World, outcome: int) -> None:
    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.stop_experiment(outcome))  # type: ignore[arg-type] # whatever came

    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "EXPERIMENT_OUTCOME_PROMOTED" in refused.message


async def test_what_is_not_running_is_told_with_what_is(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        await indexer.start_experiment(world.second)
        refused = await refusal(indexer.stop_experiment(name="other"))

    told = f"no experiment other is running; the experiment try is, of version {world.second}"
    assert refused == Refused(grpc.StatusCode.FAILED_PRECONDITION, told, "NO_SUCH_EXPERIMENT")
