"""Versions that are removed from the store while they are served, started with, or on their way."""

from pathlib import Path

import pytest

from services.contracts import bundle
from services.contracts.bundle import Publication
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import client_of, planted, publish_world
from tests.integration.recommender.serving import SERVING, refusal, serving, serving_published


def remove(store: LocalObjectStore, publication: Publication, *, keep: str = "") -> None:
    """As a removal leaves the store: without the manifest, and without the files but one."""
    for info in store.list(bundle.version_file_key(publication.version, "")):
        if info.key != bundle.version_file_key(publication.version, keep or "-"):
            store.delete(info.key)


async def test_a_version_that_is_served_may_be_removed(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publication = publish_world(object_store, tmp_path / "bundle", epoch=1)
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        remove(object_store, publication)
        reloaded = await recommender.reload()
        answer = await recommender.recommend(client_id=client_of(0))

    assert (reloaded.changed, answer.index.epoch) == (False, 1)


async def test_a_restart_serves_a_removed_version_from_the_cache(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    publication = publish_world(object_store, tmp_path / "bundle", epoch=1)
    async with serving_published(object_store, tmp_path / "cache"):
        remove(object_store, publication)
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        answer = await recommender.recommend(client_id=client_of(0))

    assert answer.index.epoch == 1


@pytest.mark.parametrize("vanishing", [bundle.MANIFEST_FILE, bundle.FILES[0], bundle.FILES[-1]])
async def test_a_version_that_is_removed_while_it_is_fetched_is_refused_and_the_newer_one_is_taken(
    object_store: LocalObjectStore, tmp_path: Path, vanishing: str
) -> None:
    publish_world(object_store, tmp_path / "first", epoch=1)
    second = publish_world(object_store, tmp_path / "second", 2, planted("B"))

    class Vanishing(LocalObjectStore):
        """The removal overtakes the fetch of one object."""

        def get(self, key: str) -> bytes:
            self._overtake(key)
            return super().get(key)

        def fetch(self, key: str, destination: Path) -> None:
            self._overtake(key)
            super().fetch(key, destination)

        def _overtake(self, key: str) -> None:
            if key == bundle.version_file_key(second.version, vanishing):
                remove(object_store, second)

    async with serving(Vanishing(tmp_path / "objects"), tmp_path / "cache") as recommender:
        await recommender.becomes(SERVING)
        answer = await recommender.recommend(client_id=client_of(0))
        publish_world(object_store, tmp_path / "third", 3, planted("C"))
        newer = await recommender.reload()

    assert answer.index.epoch == 1
    assert (newer.changed, newer.index.epoch) == (True, 3)
    assert not list((tmp_path / "cache").glob(".unfinished-*"))


async def test_half_a_version_is_never_taken(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publish_world(object_store, tmp_path / "first", epoch=1)
    second = publish_world(object_store, tmp_path / "second", 2, planted("B"))
    remove(object_store, second, keep=bundle.ANNOY_FILE)
    async with serving(object_store, tmp_path / "cache") as recommender:
        await recommender.becomes(SERVING)
        refused = await refusal(recommender.reload())
        answer = await recommender.recommend(client_id=client_of(0))

    assert refused.reason == "INDEX_REFUSED"
    assert second.version in refused.message
    assert answer.index.epoch == 1
