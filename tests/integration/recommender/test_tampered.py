"""Objects that changed in the store: refused by name, while the index before them goes on answering."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import grpc
import pytest

from services.contracts import bundle
from services.runtime.checksums import sha256_of
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import (
    StoredVersion,
    client_of,
    planted,
    publish,
    publish_world,
    upload,
    write,
)
from tests.integration.recommender.refusing import assert_refused_and_served_on, bytes_changed
from tests.integration.recommender.serving import SERVING, refusal, serving, serving_published

Change = Callable[[bytes], bytes]


DAMAGES: dict[str, Change] = {
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "200 bytes": bytes_changed,
    "longer": lambda content: content + b"\0",
}


@pytest.mark.parametrize(("name", "damage"), [*product([*bundle.FILES, bundle.MANIFEST_FILE], DAMAGES)])
async def test_a_file_that_changed_in_the_store_is_refused(
    object_store: LocalObjectStore, tmp_path: Path, name: str, damage: str
) -> None:
    bad = upload(object_store, tmp_path / "bad", write(tmp_path / "bad", planted("B")))
    stored = tmp_path / "objects" / bundle.version_file_key(bad.version, name)
    stored.write_bytes(DAMAGES[damage](stored.read_bytes()))

    await assert_refused_and_served_on(object_store, tmp_path, bad, bad.version, name)


async def test_the_manifest_of_another_version_is_refused(object_store: LocalObjectStore, tmp_path: Path) -> None:
    bad = upload(object_store, tmp_path / "bad", write(tmp_path / "bad", planted("B")))
    other = upload(object_store, tmp_path / "other", write(tmp_path / "other", planted("C")))
    stored = tmp_path / "objects" / bundle.manifest_key(bad.version)
    stored.write_bytes(object_store.get(bundle.manifest_key(other.version)))

    await assert_refused_and_served_on(object_store, tmp_path, bad, bad.version, bundle.MANIFEST_FILE)


@pytest.mark.parametrize("field", [{"schema_version": 99}, {"metric": "euclidean"}, {"files": "all"}])
async def test_a_manifest_that_says_what_this_code_does_not_know_is_refused(
    object_store: LocalObjectStore, tmp_path: Path, field: dict[str, object]
) -> None:
    manifest = write(tmp_path / "bad", planted("B"))
    content = json.dumps({**manifest.model_dump(mode="json"), **field}).encode()
    version = bundle.version_of(manifest.watermark, sha256_of(content))
    for file in manifest.files:
        object_store.put_if_absent(bundle.version_file_key(version, file.name), tmp_path / "bad" / file.name)
    object_store.put_if_absent(bundle.manifest_key(version), content)
    bad = StoredVersion(version, sha256_of(content))

    await assert_refused_and_served_on(object_store, tmp_path, bad, version, bundle.MANIFEST_FILE, *field)


@pytest.mark.parametrize("name", [*bundle.FILES, bundle.MANIFEST_FILE])
async def test_a_pointer_to_what_is_not_there_is_refused(
    object_store: LocalObjectStore, tmp_path: Path, name: str
) -> None:
    bad = upload(object_store, tmp_path / "bad", write(tmp_path / "bad", planted("B")))
    object_store.delete(bundle.version_file_key(bad.version, name))

    await assert_refused_and_served_on(object_store, tmp_path, bad, bad.version, name)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "not a Publication"),
        (b"<html>", "not a Publication"),
        (b'{"epoch": 2}', "version"),
        ({"epoch": 3}, "says that it is epoch 3"),
        ({"version": "../../etc"}, "is not the name of an index version"),
        ({"version": "20260301T120000Z-000000000000"}, "manifest.json"),
        ({"manifest_sha256": "0" * 64}, "SHA-256"),
    ],
)
async def test_a_publication_that_is_wrong_is_refused(
    object_store: LocalObjectStore, tmp_path: Path, content: bytes | dict[str, object], named: str
) -> None:
    bad = upload(object_store, tmp_path / "bad", write(tmp_path / "bad", planted("B")))
    if isinstance(content, dict):
        right = publish(object_store, 2, bad).to_bytes()
        content = json.dumps({**json.loads(right), **content}).encode()
        object_store.delete(bundle.publication_key(2))
    object_store.put_if_absent(bundle.publication_key(2), content)

    await assert_refused_and_served_on(object_store, tmp_path, None, "index epoch 2", named)


async def test_an_epoch_lower_than_the_one_in_service_is_never_taken(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    publish_world(object_store, tmp_path / "good", epoch=5)
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        publish_world(object_store, tmp_path / "late", 3, planted("B"))
        object_store.delete(bundle.publication_key(5))
        answer = await recommender.reload()

    assert (answer.changed, answer.index.epoch) == (False, 5)


async def test_a_refused_index_is_taken_once_it_was_restored(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publish_world(object_store, tmp_path / "good", epoch=1)
    bad = publish_world(object_store, tmp_path / "bad", 2, planted("B"))
    stored = tmp_path / "objects" / bundle.version_file_key(bad.version, bundle.TARGET_FILE)
    content = stored.read_bytes()
    stored.write_bytes(bytes_changed(content))
    async with serving(object_store, tmp_path / "cache") as recommender:
        await recommender.becomes(SERVING)
        stored.write_bytes(content)
        answer = await recommender.reload()

    assert (answer.changed, answer.index.epoch) == (True, 2)


async def test_a_start_with_a_bad_newest_index_serves_the_one_before(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    publish_world(object_store, tmp_path / "good", epoch=1)
    object_store.put_if_absent(bundle.publication_key(2), b"{}")
    async with serving(object_store, tmp_path / "cache") as recommender:
        await recommender.becomes(SERVING)
        answer = await recommender.recommend(client_id=client_of(0))

    assert answer.index.epoch == 1


async def test_with_nothing_but_a_bad_index_callers_are_told_so(object_store: LocalObjectStore, tmp_path: Path) -> None:
    object_store.put_if_absent(bundle.publication_key(2), b"{}")
    async with serving(object_store, tmp_path / "cache") as recommender:
        await refusal(recommender.reload())
        refused = await refusal(recommender.recommend(client_id=client_of(0)))

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "NO_INDEX")
    assert "index epoch 2 is refused" in refused.message
