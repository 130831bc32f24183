"""A person publishes what the gate refuses, with a reason that is kept; never what is not sound."""

import grpc
import pytest
from prometheus_client import REGISTRY

from services.contracts import bundle
from services.contracts.bundle import PUBLISHED_PREFIX, Publication
from tests.integration.indexer.conftest import World
from tests.integration.indexer.damage import flip
from tests.integration.indexer.serving import refusal, serving

WHY = "the board wants it"


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_an_override_publishes_what_the_gate_refuses_and_its_reason_is_kept(world: World) -> None:
    overrides = counted("afin_indexer_overrides_total")
    refusals = counted("afin_indexer_failed_checks_total", check="beats_popularity")

    async with serving(world.settings(min_gain=0.99)) as indexer:
        refused = await indexer.validate(world.first, publish=True)
        overridden = await indexer.validate(world.first, publish=True, override_reason=WHY)
        kept = (await indexer.version(world.first)).validation

    assert not refused.HasField("publication")
    assert (overridden.publication.epoch, overridden.validation.passed) == (1, False)
    assert kept == overridden.validation
    assert kept.override_reason == WHY
    (info,) = world.store.list(PUBLISHED_PREFIX)
    publication = Publication.model_validate_json(world.store.get(info.key))
    assert publication.reason == f"although it failed beats_popularity: {WHY}"
    assert counted("afin_indexer_overrides_total") == overrides + 1
    assert counted("afin_indexer_failed_checks_total", check="beats_popularity") == refusals + 2


async def test_what_is_not_sound_is_never_published_whatever_the_reason(world: World) -> None:
    flip(world, bundle.ANNOY_FILE)

    async with serving(world.settings(min_gain=0.99)) as indexer:
        answer = await indexer.validate(world.first, publish=True, override_reason=WHY)
        publications = (await indexer.publications()).publications

    assert not answer.HasField("publication")
    assert answer.validation.override_reason == ""
    assert not publications


async def test_where_there_is_nothing_to_override_the_reason_is_not_kept(world: World) -> None:
    async with serving(world.settings()) as indexer:
        answer = await indexer.validate(world.first, publish=True, override_reason=WHY)

    assert answer.publication.reason == "passed its validation"
    assert answer.validation.override_reason == ""


@pytest.mark.parametrize(("publish", "reason"), [(False, WHY), (True, "x" * 501), (True, "  ")])
async def test_an_override_needs_a_publication_and_a_reason(world: World, publish: bool, reason: str) -> None:
    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.validate(world.first, publish=publish, override_reason=reason))

    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.message.startswith("override_reason: ")
