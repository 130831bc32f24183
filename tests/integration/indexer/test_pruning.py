"""Old versions go, whole; what is in service, or may be wanted back, stays; nobody finds a half of one."""

import asyncio
from datetime import timedelta

import asyncpg
import grpc
import pytest

from services.contracts.bundle import ANNOY_FILE, Build, build_key, manifest_key, version_file_key
from services.indexer.adapters.publications import PublicationObjects
from services.indexer.adapters.versions import BUILD_FILE, VersionObjects
from services.indexer.domain.retention import Keep
from services.indexer.workflow.catalogue import Catalogue
from services.indexer.workflow.epochs import Epochs
from services.indexer.workflow.prune import Pruner
from services.indexer.workflow.publish import Publisher
from services.runtime.checksums import sha256_of
from services.runtime.clock import utc_now
from services.runtime.objects.local import LocalObjectStore
from services.runtime.objects.store import ObjectStoreUnavailable
from tests.integration.indexer.conftest import FIRST_BUILD, World
from tests.integration.indexer.serving import refusal, serving

ERASE = "INSERT INTO warehouse.erasures VALUES ('erasure-1', 1, 0, now())"


def keys_of(store: LocalObjectStore, version: str) -> list[str]:
    """All objects that belong to a version, but for its publications."""
    builds = [info.key for info in store.list("index/builds/")]
    theirs = [key for key in builds if Build.model_validate_json(store.get(key)).version == version]
    return [info.key for info in store.list("index/") if f"/{version}/" in info.key] + theirs


async def test_an_old_version_goes_with_all_that_is_kept_of_it(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first)
        told = await indexer.prune(1, dry_run=True)
        assert keys_of(world.store, world.first)
        pruned = await indexer.prune(1)
        left = (await indexer.versions()).index_versions

    assert told == pruned == {world.first: "PRUNE_REASON_OLD"}
    assert keys_of(world.store, world.first) == []
    assert [version.version for version in left] == [world.second]


async def test_a_version_that_was_removed_is_built_again_by_the_same_build_id(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.prune(1)
        messages = await indexer.build(FIRST_BUILD)
        validation = (await indexer.validate(messages[-1].index_version.version)).validation

    assert messages[-1].index_version.version == world.first
    assert validation.passed


async def test_what_is_in_service_and_what_was_before_it_stay(world: World) -> None:
    async with serving(world.settings()) as indexer:
        for version in (world.second, world.first):
            await indexer.validate(version, publish=True)
        assert await indexer.prune(1) == {}
        back = await indexer.roll_back()

    assert back.version == world.second


async def test_after_a_publication_old_versions_go_by_themselves(world: World) -> None:
    async with serving(world.settings(keep_versions=1)) as indexer:
        await indexer.validate(world.second, publish=True)

    assert keys_of(world.store, world.first) == []


async def test_versions_that_are_refused_do_not_gather(world: World) -> None:
    async with serving(world.settings(keep_versions=1, min_gain=0.99)) as indexer:
        refused = await indexer.validate(world.second, publish=True)

    assert not refused.HasField("publication")
    assert keys_of(world.store, world.first) == []
    assert keys_of(world.store, world.second)


async def test_what_was_in_service_lately_stays(world: World) -> None:
    async with serving(world.settings(seed=3)) as indexer:
        third = (await indexer.build("third"))[-1].index_version.version
        for version in (world.first, world.second, third):
            await indexer.validate(version, publish=True)
        lately = await indexer.prune(1, timedelta(hours=1), dry_run=True)
        ever = await indexer.prune(1, dry_run=True)

    assert (lately, ever) == ({}, {world.first: "PRUNE_REASON_OLD"})


async def test_what_a_broken_removal_left_is_no_version_and_goes_with_the_next(world: World) -> None:
    await VersionObjects(world.store).withdraw(world.first)

    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.validate(world.first, publish=True))
        pruned = await indexer.prune(10)

    assert refused.code is grpc.StatusCode.NOT_FOUND
    assert pruned == {world.first: "PRUNE_REASON_UNFINISHED"}
    assert keys_of(world.store, world.first) == []


async def test_a_build_puts_back_what_a_removal_took_while_it_stored(world: World, built: World) -> None:
    """The removal deletes a file that the build found and left as it was."""

    class Slow(LocalObjectStore):
        def put_if_absent(self, key: str, content: object) -> bool:
            if key == manifest_key(world.first):
                self.delete(version_file_key(world.first, "popular.npy"))
            return super().put_if_absent(key, content)  # type: ignore[arg-type] # passed on as it came

    folder = built.objects / version_file_key(built.first, "x")
    await VersionObjects(world.store).withdraw(world.first)

    await VersionObjects(Slow(world.objects)).store(world.first, folder.parent)

    assert world.store.get(version_file_key(world.first, "popular.npy"))


async def test_versions_that_know_an_erased_client_go_once_one_without_is_in_service(
    world: World, own_database: str
) -> None:
    world = World(own_database, world.objects, world.first, world.second)
    async with serving(world.settings()) as indexer:
        for version in (world.first, world.second):
            await indexer.validate(version, publish=True)
    await _execute(own_database, ERASE)

    async with serving(world.settings(seed=5)) as indexer:
        assert (await indexer.roll_back(world.first)).epoch == 3  # the one in service knows the client as well
        clean = (await indexer.build("after"))[-1].index_version.version
        assert (await indexer.validate(clean, publish=True)).publication.epoch == 4
        refused = await refusal(indexer.roll_back())
        left = (await indexer.versions()).index_versions

    assert refused.reason == "NOTHING_TO_ROLL_BACK_TO"
    assert [version.version for version in left] == [clean]
    assert keys_of(world.store, world.first) == keys_of(world.store, world.second) == []


async def test_a_rollback_to_a_version_that_knows_an_erased_client_is_refused(world: World) -> None:
    first = Build.model_validate_json(world.store.get(build_key(FIRST_BUILD)))
    later = first.model_copy(update={"build_id": "later", "version": world.second, "erasures": ("erasure-1",)})
    async with serving(world.settings(keep_versions=1000, keep_days=1000)) as indexer:
        for version in (world.first, world.second):
            await indexer.validate(version, publish=True)
        world.store.put_if_absent(build_key("later"), later.to_bytes())
        refused = await refusal(indexer.roll_back())

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "BEFORE_ERASURE")
    assert world.first in refused.message


async def test_a_version_that_is_published_while_it_is_removed_stays_or_is_not_in_service(world: World) -> None:
    """The publication comes between the decision to remove and the removal."""
    versions, publications = VersionObjects(world.store), PublicationObjects(world.store)
    publisher = Publisher(Epochs(versions, publications, utc_now))
    sha256 = sha256_of(world.store.get(manifest_key(world.first)))

    async def approve(present: object) -> str:
        return "just now"

    class Hasty(VersionObjects):
        async def withdraw(self, version: str) -> list[Build]:
            await publisher.publish(version, sha256, approve)
            return await super().withdraw(version)

    keep, before = Keep(1, timedelta(0)), keys_of(world.store, world.first)
    pruner = Pruner(keep, Hasty(world.store), publications, asyncio.Lock(), utc_now)

    assert await pruner.prune(keep) == {}
    present = await publisher.in_service()
    assert present is not None
    assert present.version == world.first
    assert sha256_of(world.store.get(manifest_key(world.first))) == sha256
    assert keys_of(world.store, world.first) == before


async def test_what_is_left_of_the_version_in_service_is_not_removed(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        world.store.delete(manifest_key(world.first))

        assert await indexer.prune(1) == {}

    assert world.store.get(version_file_key(world.first, ANNOY_FILE))


async def test_a_version_that_a_build_is_about_to_record_is_not_removed(world: World) -> None:
    """The build has stored the manifest; its own record is still to come."""
    world.store.delete(version_file_key(world.first, BUILD_FILE))
    building = asyncio.Lock()
    keep = Keep(1, timedelta(0))
    pruner = Pruner(keep, VersionObjects(world.store), PublicationObjects(world.store), building, utc_now)

    async with building:
        assert await pruner.prune(keep) == {}
    assert list(await pruner.prune(keep)) == [world.first]


async def test_while_versions_are_removed_builds_wait(world: World) -> None:
    building = asyncio.Lock()

    class Watched(VersionObjects):
        async def remove(self, version: str) -> None:
            assert building.locked()
            await super().remove(version)

    keep = Keep(1, timedelta(0))
    pruner = Pruner(keep, Watched(world.store), PublicationObjects(world.store), building, utc_now)

    assert list(await pruner.prune(keep)) == [world.first]
    assert not building.locked()


async def test_a_store_that_fails_after_a_validation_leaves_the_removal_to_the_next_one(world: World) -> None:
    class Away(VersionObjects):
        async def newest_first(self) -> list[str]:
            raise ObjectStoreUnavailable("gone")

    pruner = Pruner(Keep(1, timedelta(0)), Away(world.store), PublicationObjects(world.store), asyncio.Lock(), utc_now)

    await pruner.clean_up()

    assert keys_of(world.store, world.first)


async def test_a_version_that_is_removed_while_versions_are_listed_is_left_out(world: World) -> None:
    class Outdated(VersionObjects):
        async def newest_first(self) -> list[str]:
            versions = await super().newest_first()
            await self.withdraw(world.first)
            return versions

    views, more = await Catalogue(Outdated(world.store), PublicationObjects(world.store)).page("", 10)

    assert ([view.version for view in views], more) == ([world.second], False)


@pytest.mark.parametrize(("keep", "within"), [(-1, 0), (1001, 0), (1, -1), (1, 10**10)])
async def test_what_is_to_be_kept_has_bounds(world: World, keep: int, within: int) -> None:
    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.prune(keep, timedelta(seconds=within)))

    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
