"""From a build to service and back, over gRPC."""

import asyncio
from datetime import UTC, datetime
from itertools import islice

import grpc
import pytest

from services.contracts.bundle import PUBLISHED_PREFIX, Publication, manifest_key
from services.indexer.adapters.publications import PublicationObjects
from services.indexer.adapters.versions import VersionObjects
from services.indexer.workflow.epochs import Epochs
from services.indexer.workflow.publish import Publisher
from services.runtime.checksums import sha256_of
from services.runtime.clock import utc_now
from tests.integration.indexer.conftest import World
from tests.integration.indexer.serving import Indexer, refusal, serving


async def published(indexer: Indexer) -> list[tuple[int, str]]:
    return [(item.epoch, item.version) for item in (await indexer.publications()).publications]


async def test_a_version_goes_into_service_and_a_rollback_brings_the_older_one_back(world: World) -> None:
    async with serving(world.settings()) as indexer:
        for version in (world.first, world.second):
            assert (await indexer.validate(version, publish=True)).publication.version == version
        back = await indexer.roll_back(reason="clients complain")
        versions = (await indexer.versions()).index_versions
        publications = (await indexer.publications()).publications

    assert (back.epoch, back.version, back.reason) == (3, world.first, "clients complain")
    assert [(item.epoch, item.version) for item in publications] == [
        (3, world.first),
        (2, world.second),
        (1, world.first),
    ]
    assert [(item.version, item.epoch, item.in_service) for item in versions] == [
        (world.second, 2, False),
        (world.first, 3, True),
    ]
    assert all(item.validation.passed for item in versions)


async def test_publishing_what_is_in_service_changes_nothing(world: World) -> None:
    async with serving(world.settings()) as indexer:
        first = (await indexer.validate(world.first, publish=True)).publication
        again = (await indexer.validate(world.first, publish=True)).publication
        all_of_them = await published(indexer)

    assert again == first
    assert all_of_them == [(1, world.first)]


async def test_a_publication_names_the_manifest_that_was_validated(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        version = await indexer.version(world.first)

    (info,) = world.store.list(PUBLISHED_PREFIX)
    publication = Publication.model_validate_json(world.store.get(info.key))
    assert publication.manifest_sha256 == sha256_of(world.store.get(manifest_key(world.first)))
    assert publication.manifest_sha256 == version.manifest_sha256


async def test_a_rollback_to_a_named_version_needs_that_it_was_published(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        refused = await refusal(indexer.roll_back(world.second))
        await indexer.validate(world.second, publish=True)
        back = await indexer.roll_back(world.first)

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_TO_ROLL_BACK_TO")
    assert world.second in refused.message
    assert (back.epoch, back.version) == (3, world.first)


async def test_without_an_earlier_version_there_is_no_rollback(world: World) -> None:
    async with serving(world.settings()) as indexer:
        before_any = await refusal(indexer.roll_back())
        await indexer.validate(world.first, publish=True)
        before_second = await refusal(indexer.roll_back())

    assert before_any.code is before_second.code is grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(("version", "reason"), [("", ""), ("", "x" * 501), ("../x", "why")])
async def test_a_rollback_needs_a_reason_and_the_name_of_a_version(world: World, version: str, reason: str) -> None:
    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.roll_back(version, reason))

    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_of_publishers_who_race_each_gets_an_epoch_of_its_own(world: World) -> None:
    sha256 = {version: sha256_of(world.store.get(manifest_key(version))) for version in (world.first, world.second)}

    async def approve(present: Publication | None) -> str:
        return "race"

    lines = [Epochs(VersionObjects(world.store), PublicationObjects(world.store), utc_now) for _ in range(2)]
    publishers = [Publisher(line) for line in lines]

    for _ in range(5):
        pairs = zip(publishers, sha256.items(), strict=True)
        await asyncio.gather(*(publisher.publish(version, digest, approve) for publisher, (version, digest) in pairs))

    found = await PublicationObjects(world.store).all()
    assert [publication.epoch for publication in found] == list(range(1, len(found) + 1))
    assert all(one.version != next_one.version for one, next_one in zip(found, islice(found, 1, None), strict=False))
    assert {publication.version for publication in found[:2]} == {world.first, world.second}


async def test_one_epoch_has_one_winner(world: World) -> None:
    boards = [PublicationObjects(world.store) for _ in range(8)]

    def mine(number: int) -> Publication:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        return Publication(epoch=1, version=str(number), manifest_sha256="", published_at=moment, reason="race")

    won = await asyncio.gather(*(board.add(mine(number)) for number, board in enumerate(boards)))

    (publication,) = await boards[0].all()
    assert sum(won) == 1
    assert publication.version == str(won.index(True))


async def test_versions_come_page_by_page(world: World) -> None:
    async with serving(world.settings()) as indexer:
        first = await indexer.versions(size=1)
        second = await indexer.versions(size=1, token=first.next_page_token)

    assert [version.version for version in first.index_versions] == [world.second]
    assert [version.version for version in second.index_versions] == [world.first]
    assert second.next_page_token == ""


async def test_publications_come_page_by_page(world: World) -> None:
    async with serving(world.settings()) as indexer:
        for version in (world.first, world.second):
            await indexer.validate(version, publish=True)
        await indexer.roll_back()
        first = await indexer.publications(size=2)
        second = await indexer.publications(size=2, token=first.next_page_token)

    assert [publication.epoch for publication in first.publications] == [3, 2]
    assert [publication.epoch for publication in second.publications] == [1]
    assert second.next_page_token == ""


@pytest.mark.parametrize("token", ["broken", "dW5rbm93bi0wMDAwMDAwMDAwMDA="])
async def test_a_token_that_no_list_gave_is_refused(world: World, token: str) -> None:
    async with serving(world.settings()) as indexer:
        versions = await refusal(indexer.versions(token=token))
        publications = await refusal(indexer.publications(token=token))

    assert versions.code is publications.code is grpc.StatusCode.INVALID_ARGUMENT
    assert versions.message.startswith("page_token: ")


async def test_a_version_with_a_damaged_manifest_is_listed_by_its_name_alone(world: World) -> None:
    (world.objects / manifest_key(world.first)).write_bytes(b"{}")

    async with serving(world.settings()) as indexer:
        versions = (await indexer.versions()).index_versions

    assert [(version.version, version.companies > 0) for version in versions] == [
        (world.second, True),
        (world.first, False),
    ]


async def test_an_unknown_version_is_not_found(world: World) -> None:
    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.version("unknown-000000000000"))

    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "VERSION_NOT_FOUND")
    assert "unknown-000000000000" in refused.message
