"""Small objects beside the bundles that are damaged: named with what to do, and nobody goes round in circles."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from services.contracts import bundle
from services.contracts.bundle import (
    MANIFEST_FILE,
    Publication,
    build_key,
    manifest_key,
    publication_key,
    validation_prefix,
    version_file_key,
)
from services.indexer.adapters.training_rows import WarehouseRows
from services.indexer.assembly import assembled
from services.indexer.domain.training import Selection
from services.indexer.workflow.validate import Wish
from services.runtime.checksums import sha256_of
from services.runtime.objects.local import LocalObjectStore
from tests.integration.indexer.conftest import FIRST_BUILD, World
from tests.integration.indexer.serving import refusal, serving


def of_another_epoch(content: bytes) -> bytes:
    return Publication.model_validate_json(content).model_copy(update={"epoch": 7}).to_bytes()


@pytest.mark.parametrize("damage", [lambda _: b"", lambda content: content[:20], of_another_epoch])
async def test_a_damaged_publication_is_named_and_nothing_is_published_after_it(
    world: World, damage: Callable[[bytes], bytes]
) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
    path = world.objects / publication_key(1)
    path.write_bytes(damage(path.read_bytes()))

    async with serving(world.settings()) as indexer:
        refused = [
            await refusal(indexer.validate(world.second, publish=True)),
            await refusal(indexer.roll_back()),
            await refusal(indexer.publications()),
        ]

    assert {(each.code, each.reason) for each in refused} == {(grpc.StatusCode.DATA_LOSS, "DATA_LOSS")}
    assert all(publication_key(1) in each.message for each in refused)


async def test_a_damaged_record_of_a_build_is_named(world: World) -> None:
    (world.objects / build_key(FIRST_BUILD)).write_bytes(b"{}")

    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.build(FIRST_BUILD))

    assert refused.code is grpc.StatusCode.DATA_LOSS
    assert build_key(FIRST_BUILD) in refused.message


async def test_a_damaged_validation_is_named(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first)
    key = f"{validation_prefix(world.first)}000001.json"
    (world.objects / key).write_bytes(b"[]")

    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.version(world.first))

    assert refused.code is grpc.StatusCode.DATA_LOSS
    assert key in refused.message


class Exchanging(LocalObjectStore):
    """Gives the files, and the second time the manifest, of another version, which is sound in itself."""

    def __init__(self, world: World) -> None:
        super().__init__(world.objects)
        self._wrong, self._right = world.first, world.second

    def fetch(self, key: str, destination: Path) -> None:
        super().fetch(key.replace(self._wrong, self._right), destination)


async def test_files_are_held_against_the_manifest_that_is_published(world: World, tmp_path: Path) -> None:
    rows = WarehouseRows(create_async_engine("postgresql+asyncpg://"), Selection())
    workflow = assembled(world.settings(), rows, Exchanging(world), tmp_path)

    validation, publication = await workflow.validator.validate(world.first, Wish(publish=True))

    assert publication is None
    assert [check.name for check in validation.failed] == ["files"]


@pytest.mark.parametrize("damaged", ["base", "version"])
async def test_a_version_under_the_name_of_another_is_not_compared(world: World, damaged: str) -> None:
    (wrong, right) = (world.first, world.second) if damaged == "base" else (world.second, world.first)
    for name in (*bundle.FILES, MANIFEST_FILE):
        content = world.store.get(version_file_key(right, name))
        (world.objects / version_file_key(wrong, name)).write_bytes(content)

    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.compare(world.second, world.first))

    assert refused.reason == "NOT_COMPARABLE"
    assert f"the manifest of {wrong} is damaged" in refused.message


async def test_a_rollback_to_a_version_of_another_format_is_refused(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        await indexer.validate(world.second, publish=True)
    older = world.store.get(manifest_key(world.first)).replace(b'"schema_version": 3', b'"schema_version": 2')
    (world.objects / manifest_key(world.first)).write_bytes(older)
    path = world.objects / publication_key(1)
    named = Publication.model_validate_json(path.read_bytes()).model_copy(update={"manifest_sha256": sha256_of(older)})
    path.write_bytes(named.to_bytes())

    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.roll_back())
        present = (await indexer.publications()).publications[0]

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "OTHER_FORMAT")
    assert "schema_version" in refused.message
    assert present.version == world.second
