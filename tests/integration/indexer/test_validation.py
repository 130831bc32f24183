"""Validation: what passes, what fails, by which name, and that nothing of it harms the process."""

import io
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from afin.indexer.v1 import indexer_pb2 as pb
from services.contracts import bundle
from services.contracts.bundle import IndexManifest, Publication, manifest_key, publication_key, validation_prefix
from services.contracts.validation import Validation
from services.indexer.domain.soundness import quicker_search
from tests.integration.indexer.conftest import World
from tests.integration.indexer.damage import file_of, flip, stored, wrong_in_itself
from tests.integration.indexer.serving import Indexer, refusal, serving

STRUCTURE = ["manifest", "files", "arrays", "annoy", "answers", "search"]
GATE = [
    "beats_popularity",
    "not_worse_than_in_service",
    "not_worse_with_repeats",
    "not_older_than_in_service",
    "knows_what_is_in_service",
    "answers_like_in_service",
]


async def failed_checks(indexer: Indexer, version: str) -> dict[str, str]:
    """Validates to publish, which must not happen; the failed checks with their details."""
    response = await indexer.validate(version, publish=True)
    assert not response.validation.passed
    assert not response.HasField("publication")
    assert not (await indexer.publications()).publications
    return {check.name: check.detail for check in response.validation.checks if not check.passed}


def npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


async def test_a_sound_version_passes_every_check_and_the_record_is_kept(world: World) -> None:
    async with serving(world.settings()) as indexer:
        validation = (await indexer.validate(world.first)).validation
        recorded = (await indexer.version(world.first)).validation

    assert [check.name for check in validation.checks] == [*STRUCTURE, *GATE]
    assert all(check.passed and check.detail for check in validation.checks)
    assert recorded == validation


async def test_validations_of_a_version_are_all_kept_and_the_newest_is_shown(world: World) -> None:
    async with serving(world.settings(min_gain=0.99)) as strict:
        await strict.validate(world.first)
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first)
        newest = (await indexer.version(world.first)).validation

    assert len(list(world.store.list(validation_prefix(world.first)))) == 2
    assert newest.passed


async def test_without_being_asked_a_validation_publishes_nothing(world: World) -> None:
    async with serving(world.settings()) as indexer:
        response = await indexer.validate(world.first)
        publications = await indexer.publications()

    assert response.validation.passed
    assert not response.HasField("publication")
    assert not publications.publications


@pytest.mark.parametrize("name", bundle.FILES)
async def test_a_flipped_byte_fails_by_the_name_of_its_file(world: World, name: str) -> None:
    flip(world, name)

    async with serving(world.settings()) as indexer:
        failed = await failed_checks(indexer, world.first)

    assert list(failed) == ["files"]
    assert failed["files"].startswith(f"{name} does not have the SHA-256 that the manifest says; restore")


async def test_a_cut_file_and_a_missing_one_fail_by_their_names(world: World) -> None:
    annoy, popular = file_of(world, bundle.ANNOY_FILE), file_of(world, bundle.POPULAR_FILE)
    size = annoy.stat().st_size
    annoy.write_bytes(annoy.read_bytes()[: size // 2])
    popular.unlink()

    async with serving(world.settings()) as indexer:
        failed = await failed_checks(indexer, world.first)

    assert f"companies.annoy has {size // 2} bytes, the manifest says {size}" in failed["files"]
    assert "popular.npy is missing from the object store" in failed["files"]


@pytest.mark.parametrize("damage", ["flipped", "another", "no JSON"])
async def test_a_manifest_that_is_not_the_versions_own_fails(world: World, damage: str) -> None:
    path = world.objects / manifest_key(world.first)
    own = path.read_bytes()
    damaged = {
        "flipped": own.replace(b'"trees": 5', b'"trees": 6'),
        "another": (world.objects / manifest_key(world.second)).read_bytes(),
        "no JSON": b"<html>",
    }
    path.write_bytes(damaged[damage])

    async with serving(world.settings()) as indexer:
        failed = await failed_checks(indexer, world.first)

    assert list(failed) == ["manifest"]


def cut_annoy(content: bytes) -> bytes:
    node = 12 + 4 * 9
    return content[: -2 * node]


def zeroed_annoy(content: bytes) -> bytes:
    return bytes(len(content))


def random_annoy(content: bytes) -> bytes:
    return np.random.default_rng(0).bytes(len(content))


def lost_items(content: bytes) -> bytes:
    node = 12 + 4 * 9
    return content[node:]


@pytest.mark.parametrize("change", [cut_annoy, zeroed_annoy, random_annoy, lost_items, lambda _: b"short"])
async def test_an_annoy_file_wrong_in_itself_fails_and_the_process_lives(
    world: World, change: Callable[[bytes], bytes]
) -> None:
    content = change(file_of(world, bundle.ANNOY_FILE).read_bytes())
    version = wrong_in_itself(world, bundle.ANNOY_FILE, content)

    async with serving(world.settings()) as indexer:
        failed = await failed_checks(indexer, version)
        healthy = (await indexer.validate(world.first)).validation

    assert list(failed) in (["annoy"], ["answers"])
    assert healthy.passed


async def test_factors_that_are_no_numbers_fail(world: World) -> None:
    target = np.load(file_of(world, bundle.TARGET_FILE))
    version = wrong_in_itself(world, bundle.TARGET_FILE, npy(np.full_like(target, np.nan)))

    async with serving(world.settings()) as indexer:
        failed = await failed_checks(indexer, version)

    assert failed == {"arrays": "target_factors.npy holds numbers that are not finite"}


async def test_an_array_that_is_none_fails(world: World) -> None:
    version = wrong_in_itself(world, bundle.POPULAR_FILE, b"\x93NUMPY but not really")

    async with serving(world.settings()) as indexer:
        failed = await failed_checks(indexer, version)

    assert list(failed) == ["arrays"]


async def test_pickled_objects_are_never_loaded(world: World) -> None:
    version = wrong_in_itself(world, bundle.POPULAR_FILE, npy(np.array([{"code": "run"}], dtype=object)))

    async with serving(world.settings()) as indexer:
        failed = await failed_checks(indexer, version)

    assert "allow_pickle=False" in failed["arrays"]


async def test_a_manifest_of_another_dimension_fails(world: World) -> None:
    manifest = IndexManifest.model_validate_json(world.store.get(manifest_key(world.first)))
    version = stored(world, manifest.model_copy(update={"dimension": 11}), {})

    async with serving(world.settings()) as indexer:
        failed = await failed_checks(indexer, version)

    assert "the manifest says float32 (50, 11)" in failed["arrays"]


async def test_a_version_that_does_not_beat_popularity_by_enough_is_explained_and_not_published(world: World) -> None:
    async with serving(world.settings(min_gain=0.99)) as indexer:
        failed = await failed_checks(indexer, world.first)

    assert list(failed) == ["beats_popularity"]
    assert "popularity" in failed["beats_popularity"]
    assert "asked is more than +0.9900" in failed["beats_popularity"]


async def test_a_version_worse_than_the_one_in_service_is_not_published(world: World) -> None:
    judged = np.load(file_of(world, bundle.JUDGED_NDCG_FILE))
    best = wrong_in_itself(world, bundle.JUDGED_NDCG_FILE, npy(np.minimum(judged + np.float32(0.3), np.float32(1))))

    async with serving(world.settings()) as indexer:
        assert (await indexer.validate(best, publish=True)).publication.epoch == 1
        response = await indexer.validate(world.first, publish=True)

    failed = {check.name: check.detail for check in response.validation.checks if not check.passed}
    assert list(failed) == ["not_worse_than_in_service", "not_worse_with_repeats"]
    assert "clients that both were judged by: difference -0." in failed["not_worse_than_in_service"]
    assert not response.HasField("publication")


async def test_an_unknown_version_is_not_found(world: World) -> None:
    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.validate("unknown-000000000000"))

    assert refused.code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("version", ["", "../secrets", "latest"])
async def test_what_cannot_name_a_version_is_refused(world: World, version: str) -> None:
    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.stub.ValidateIndex(pb.ValidateIndexRequest(version=version)))

    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_publication_is_searched_through_annoy_unless_another_search_is_to_be_measured(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
    async with serving(world.settings(search="measured")) as indexer:
        measured = (await indexer.validate(world.second, publish=True)).validation

    keys = (publication_key(epoch) for epoch in (1, 2))
    first, second = (Publication.model_validate_json(world.store.get(key)) for key in keys)
    checks = Validation.model_validate_json(world.store.get(f"{validation_prefix(world.second)}000001.json")).checks
    assert first.search == "annoy"
    assert second.search == quicker_search(checks)
    assert next(check for check in measured.checks if check.name == "search").passed
