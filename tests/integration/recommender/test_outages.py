"""With the object store away, and after a restart without it; and what is kept on disk for that."""

from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from services.contracts import bundle
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import client_of, planted, publish_world
from tests.integration.recommender.serving import (
    NOT_SERVING,
    SERVING,
    refusal,
    serving,
    serving_published,
)

SOON = timedelta(milliseconds=50)
LOCKS = {".lock", ".fetching"}
PUBLICATIONS_2_AND_3 = {"published-0000000002.json", "published-0000000003.json"}


@pytest.fixture
def store_folder(tmp_path: Path) -> Path:
    """Where the fixture `object_store` keeps its objects."""
    return tmp_path / "objects"


@pytest.fixture
def cache_folder(tmp_path: Path) -> Path:
    """Where bundles are kept."""
    return tmp_path / "cache"


async def test_a_loaded_recommender_answers_on_without_its_store(
    object_store: LocalObjectStore, tmp_path: Path, store_folder: Path, cache_folder: Path
) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=1)
    async with serving_published(object_store, cache_folder) as recommender:
        take_away(store_folder)
        refused = await refusal(recommender.reload())
        answer = await recommender.recommend(client_id=client_of(0))
        await recommender.becomes(SERVING)

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "OBJECT_STORE_UNAVAILABLE")
    assert answer.index.epoch == 1
    assert answer.recommendations


async def test_a_loaded_recommender_answers_on_without_its_cache(
    object_store: LocalObjectStore, tmp_path: Path, cache_folder: Path
) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=1)
    async with serving_published(object_store, cache_folder) as recommender:
        take_away(cache_folder)
        answer = await recommender.recommend(client_id=client_of(0))

    assert answer.recommendations


async def test_a_restart_without_the_store_serves_what_was_in_service(
    object_store: LocalObjectStore, tmp_path: Path, store_folder: Path, cache_folder: Path
) -> None:
    publish_world(object_store, tmp_path / "first", epoch=1)
    publish_world(object_store, tmp_path / "second", 2, planted("B"))
    async with serving_published(object_store, cache_folder):
        pass
    take_away(store_folder)

    async with serving(object_store, cache_folder) as recommender:
        await recommender.becomes(SERVING)
        answer = await recommender.recommend(client_id=client_of(0))

    assert answer.index.epoch == 2
    assert answer.recommendations[0].company_name.startswith("B ")


async def test_when_the_store_is_back_a_newer_index_is_taken(
    object_store: LocalObjectStore, tmp_path: Path, store_folder: Path, cache_folder: Path
) -> None:
    publish_world(object_store, tmp_path / "first", epoch=1)
    async with serving_published(object_store, cache_folder):
        pass
    publish_world(object_store, tmp_path / "second", 2, planted("B"))
    take_away(store_folder)

    async with serving(object_store, cache_folder) as recommender:
        await recommender.becomes(SERVING)
        bring_back(store_folder)
        answer = await recommender.reload()

    assert (answer.changed, answer.index.epoch) == (True, 2)


async def test_a_start_with_neither_store_nor_cache_waits_and_recovers(
    object_store: LocalObjectStore, tmp_path: Path, store_folder: Path, cache_folder: Path
) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=1)
    take_away(store_folder)

    async with serving(object_store, cache_folder, SOON) as recommender:
        await recommender.becomes(NOT_SERVING)
        await refusal(recommender.reload())
        refused = await refusal(recommender.recommend(client_id=client_of(0)))
        bring_back(store_folder)
        await recommender.becomes(SERVING)

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "NO_INDEX")
    assert "object store" in refused.message


@pytest.mark.parametrize("name", [bundle.ANNOY_FILE, bundle.COMPANIES_FILE, "manifest.json"])
async def test_a_cached_bundle_that_changed_on_disk_is_not_used_without_the_store(
    object_store: LocalObjectStore, tmp_path: Path, store_folder: Path, cache_folder: Path, name: str
) -> None:
    version = publish_world(object_store, tmp_path / "bundle", epoch=1).version
    async with serving_published(object_store, cache_folder):
        pass
    take_away(store_folder)
    damage(cache_folder / version / name)

    async with serving(object_store, cache_folder) as recommender:
        await refusal(recommender.reload())
        refused = await refusal(recommender.recommend(client_id=client_of(0)))

    assert refused.reason == "NO_INDEX"


async def test_a_cached_bundle_that_changed_on_disk_is_fetched_again(
    object_store: LocalObjectStore, tmp_path: Path, cache_folder: Path
) -> None:
    version = publish_world(object_store, tmp_path / "bundle", epoch=1).version
    async with serving_published(object_store, cache_folder):
        pass
    right = (cache_folder / version / bundle.ANNOY_FILE).read_bytes()
    damage(cache_folder / version / bundle.ANNOY_FILE)

    async with serving_published(object_store, cache_folder) as recommender:
        answer = await recommender.recommend(client_id=client_of(0))

    assert answer.index.epoch == 1
    assert (cache_folder / version / bundle.ANNOY_FILE).read_bytes() == right


async def test_a_cached_bundle_is_not_fetched_again(
    object_store: LocalObjectStore, tmp_path: Path, cache_folder: Path
) -> None:
    version = publish_world(object_store, tmp_path / "bundle", epoch=1).version
    async with serving_published(object_store, cache_folder):
        pass
    for name in (*bundle.FILES, "manifest.json"):
        object_store.delete(bundle.version_file_key(version, name))

    async with serving_published(object_store, cache_folder) as recommender:
        answer = await recommender.recommend(client_id=client_of(0))

    assert answer.index.epoch == 1


async def test_the_version_in_service_and_the_one_before_are_kept_and_nothing_else_of_ours(
    object_store: LocalObjectStore, tmp_path: Path, cache_folder: Path
) -> None:
    (cache_folder / "somebody else's").mkdir(parents=True)
    (cache_folder / ".unfinished-of-a-killed-process").mkdir()
    publish_world(object_store, tmp_path / "1", 1, planted("A"))
    async with serving_published(object_store, cache_folder) as recommender:
        second = publish_world(object_store, tmp_path / "2", 2, planted("B"))
        await recommender.reload()
        third = publish_world(object_store, tmp_path / "3", 3, planted("C"))
        await recommender.reload()

    assert names_in(cache_folder) == {*PUBLICATIONS_2_AND_3, *LOCKS, second.version, third.version, "somebody else's"}


async def test_a_fetch_that_fails_leaves_nothing_behind(
    object_store: LocalObjectStore, tmp_path: Path, store_folder: Path, cache_folder: Path
) -> None:
    version = publish_world(object_store, tmp_path / "bundle", epoch=1).version
    damage(store_folder / bundle.version_file_key(version, bundle.HABITS_FILE))

    async with serving(object_store, cache_folder) as recommender:
        await refusal(recommender.reload())

    assert names_in(cache_folder) == LOCKS


async def test_a_cache_folder_that_cannot_be_is_told(
    object_store: LocalObjectStore, tmp_path: Path, cache_folder: Path
) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=1)
    take_place(cache_folder)

    async with serving(object_store, cache_folder) as recommender:
        refused = await refusal(recommender.reload())

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "CACHE_UNAVAILABLE")
    assert str(cache_folder) in refused.message


async def test_two_recommenders_share_a_cache_folder(
    object_store: LocalObjectStore, tmp_path: Path, cache_folder: Path
) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=1)
    async with (
        serving_published(object_store, cache_folder) as one,
        serving_published(object_store, cache_folder) as two,
    ):
        for epoch in range(2, 6):
            publish_world(object_store, tmp_path / str(epoch), epoch, planted(f"world-{epoch}"))
            await one.reload()
        behind = await two.recommend(client_id=client_of(0))
        await two.reload()
        level = await two.recommend(client_id=client_of(0))

    assert (behind.index.epoch, level.index.epoch) == (1, 5)


def damage(path: Path) -> None:
    """Replaces a file by one of its size with other bytes; the old one may still be mapped."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(bytes(byte ^ 0x55 for byte in content))


def take_away(folder: Path) -> None:
    """As a disk that is gone."""
    folder.rename(folder.with_name("away"))


def bring_back(folder: Path) -> None:
    """After take_away."""
    folder.with_name("away").rename(folder)


def take_place(folder: Path) -> None:
    """Puts a file where a folder should be."""
    folder.write_text("")


def names_in(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}
