"""Builds, from the warehouse's rows to stored versions."""

import asyncio
from pathlib import Path

import grpc
import numpy as np
import pytest

from services.contracts import bundle
from services.contracts.bundle import IndexManifest, manifest_key, version_file_key
from services.contracts.bundle_arrays import table_in
from services.contracts.client_keys import client_key
from services.indexer.assembly import indexer
from services.runtime.checksums import sha256_of
from services.runtime.errors import FailedPrecondition
from services.runtime.objects.local import LocalObjectStore
from tests.integration.indexer.conftest import FIRST_BUILD, World
from tests.integration.indexer.serving import refusal, serving, settings_for
from tests.integration.indexer.warehouse_rows import (
    CLIENTS,
    LISTED,
    PAYMENTS_EACH,
    WATERMARK,
    insert_rows,
    planted_companies,
    planted_payments,
)

STAGES = [
    "read_training_payments",
    "arrange_payments",
    "evaluate",
    "choose_model",
    "weigh_pairs",
    "cooccurrence",
    "fit",
    "make_lists",
    "build_annoy",
    "store",
]


def manifest_of(world: World, version: str) -> IndexManifest:
    return IndexManifest.model_validate_json(world.store.get(manifest_key(version)))


def stored_keys(objects: Path) -> list[str]:
    return [info.key for info in LocalObjectStore(objects).list("")]


async def test_a_build_tells_its_stages_and_ends_with_its_version(training_database: str, tmp_path: Path) -> None:
    async with serving(settings_for(training_database, tmp_path)) as indexer:
        messages = await indexer.build("run-7")

    assert [message.stage for message in messages] == STAGES
    assert all(message.detail for message in messages)
    assert not any(message.HasField("index_version") for message in messages[:-1])
    version = messages[-1].index_version
    assert version.version.startswith(WATERMARK.strftime("%Y%m%dT%H%M%SZ-"))
    assert version.built_at.ToDatetime().year >= 2025
    assert (version.epoch, version.in_service, version.HasField("validation")) == (0, False, False)


async def test_a_version_holds_what_can_be_recommended_and_who_paid_it(world: World) -> None:
    manifest = manifest_of(world, world.first)
    folder = world.objects / version_file_key(world.first, "")
    table = table_in({name: np.load(folder / name) for name in bundle.FILES if name.endswith(".npy")})

    assert (manifest.companies, manifest.indexed) == (LISTED + 1, LISTED)
    assert (manifest.clients, manifest.training_payments) == (CLIENTS, CLIENTS * PAYMENTS_EACH)
    assert manifest.watermark == WATERMARK
    assert table.codes.tolist()[manifest.indexed :] == ["C-unpaid"]
    assert table.company_id(0) == 10**12
    assert table.find("C-retired") is None
    assert np.isnan(table.rows["average_amount"]).tolist() == [False] * LISTED + [True]


def test_a_client_is_in_the_bundle_under_its_hash_alone(world: World) -> None:
    objects = [world.store.get(key) for key in stored_keys(world.objects)]

    assert not any(b"client-0-0" in content for content in objects)
    assert any(np.array(client_key("client-0-0"), dtype=np.uint64).tobytes() in content for content in objects)


def test_the_manifest_names_the_bytes_of_every_file(world: World) -> None:
    for file in manifest_of(world, world.first).files:
        content = world.store.get(version_file_key(world.first, file.name))
        assert (len(content), sha256_of(content)) == (file.size, file.sha256)


def test_on_planted_rows_the_hold_out_shows_a_gain(world: World) -> None:
    quality = manifest_of(world, world.first).quality

    assert quality is not None
    assert quality.new is not None
    assert quality.any is not None
    assert quality.new.gain_low > 0
    assert quality.any.gain_low > 0


async def test_the_same_rows_in_another_order_give_the_same_bytes(
    world: World, empty_database: str, tmp_path: Path
) -> None:
    await insert_rows(empty_database, planted_payments()[::-1], planted_companies()[::-1])

    async with serving(settings_for(empty_database, tmp_path)) as indexer:
        version = (await indexer.build("another"))[-1].index_version

    assert version.version == world.first
    again = LocalObjectStore(tmp_path)
    for name in (*bundle.FILES, bundle.MANIFEST_FILE):
        key = version_file_key(world.first, name)
        assert again.get(key) == world.store.get(key)


async def test_the_same_build_id_gives_the_version_that_it_made_without_training(world: World) -> None:
    async with serving(world.settings(trees=30)) as indexer:
        messages = await indexer.build(FIRST_BUILD)

    assert [message.stage for message in messages] == ["recorded"]
    assert messages[0].index_version.version == world.first


async def test_another_build_of_the_same_rows_finds_its_version_stored(world: World) -> None:
    before = stored_keys(world.objects)

    async with serving(world.settings()) as indexer:
        messages = await indexer.build("build-again")
        versions = await indexer.versions()

    assert messages[-1].index_version.version == world.first
    assert set(stored_keys(world.objects)) - set(before) == {bundle.build_key("build-again")}
    assert [version.version for version in versions.index_versions] == [world.second, world.first]


async def test_a_second_build_waits_for_the_first_and_finds_its_work_done(
    training_database: str, tmp_path: Path
) -> None:
    async with serving(settings_for(training_database, tmp_path)) as indexer:
        first, second = await asyncio.gather(indexer.build("twin"), indexer.build("twin"))

    stages = sorted([[message.stage for message in first], [message.stage for message in second]], key=len)
    assert stages == [["wait", "recorded"], STAGES]
    assert first[-1].index_version == second[-1].index_version


async def test_a_cancelled_build_stores_nothing_and_the_next_one_works(training_database: str, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    async with serving(settings_for(training_database, tmp_path, work_folder=work)) as indexer:
        call = indexer.start_build("stopped")
        assert (await anext(aiter(call))).stage == STAGES[0]
        call.cancel()
        messages = await indexer.build("next")

    assert messages[-1].stage == "store"
    assert bundle.build_key("stopped") not in stored_keys(tmp_path)
    assert list(work.iterdir()) == []  # the service's own folder is gone with it


async def test_without_rows_a_build_says_which_pipelines_to_run(empty_database: str, tmp_path: Path) -> None:
    async with serving(settings_for(empty_database, tmp_path)) as indexer:
        refused = await refusal(indexer.build("early"))

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_TRAINING_PAYMENTS")
    assert "pipelines companies and recommendations" in refused.message


async def test_without_companies_a_build_says_which_pipeline_to_run(empty_database: str, tmp_path: Path) -> None:
    await insert_rows(empty_database, planted_payments(), [])

    async with serving(settings_for(empty_database, tmp_path)) as indexer:
        refused = await refusal(indexer.build("early"))

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_COMPANIES")
    assert "pipeline companies" in refused.message


async def test_before_the_migrations_it_is_not_ready(database_url: str, tmp_path: Path) -> None:
    async with indexer(settings_for(database_url, tmp_path)) as asked:
        with pytest.raises(FailedPrecondition, match=r"services\.warehouse\.migrate"):
            await asked.check_ready()


async def test_before_the_migrations_a_build_says_what_to_run(database_url: str, tmp_path: Path) -> None:
    async with serving(settings_for(database_url, tmp_path)) as indexer:
        refused = await refusal(indexer.build("early"))

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WAREHOUSE_NOT_MIGRATED")
    assert "services.warehouse.migrate" in refused.message


async def test_one_payment_makes_an_index(empty_database: str, tmp_path: Path) -> None:
    await insert_rows(empty_database, planted_payments()[:1], planted_companies())

    async with serving(settings_for(empty_database, tmp_path)) as indexer:
        version = (await indexer.build("tiny"))[-1].index_version
        validated = await indexer.validate(version.version, publish=True)

    assert (version.clients, version.indexed_companies, version.companies) == (1, 0, LISTED + 1)
    assert validated.validation.passed, validated.validation
    assert validated.publication.epoch == 1


@pytest.mark.parametrize("build_id", ["", "a/b", "x" * 129])
async def test_a_build_id_that_could_not_be_a_key_is_refused(world: World, build_id: str) -> None:
    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.build(build_id))

    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.message.startswith("build_id: ")
