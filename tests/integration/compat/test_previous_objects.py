"""What the previous release stored is read, served, built upon and gone back to."""

import json
import shutil
from pathlib import Path

import asyncpg
import pytest

from services.contracts.bundle import FILES, manifest_key, publication_key, version_file_key
from services.runtime.checksums import sha256_of
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.migrate import migrate
from services.warehouse.rebuild import rebuild
from services.warehouse.settings import WarehouseSettings
from tests.compat.previous import OBJECTS, Record, record
from tests.integration.indexer.serving import serving as indexer_serving
from tests.integration.indexer.serving import settings_for
from tests.integration.recommender.serving import serving_published

# A small world: whether its index is good is not what is tested.
CONTENT = {"min_gain": -1, "quality_tolerance": 1, "max_loss": 1, "min_overlap": 0}


@pytest.fixture
def previous() -> Record:
    """What was there when it was stored."""
    return record()


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    """The object store of the previous release, for this test to change."""
    return Path(shutil.copytree(OBJECTS, tmp_path / "objects"))


@pytest.fixture
async def database(database_url: str, objects: Path) -> str:
    """A warehouse that this code built from the previous release's lake."""
    await migrate(database_url)
    fields = {"database_url": database_url, "object_store_url": objects.as_uri()}
    report = await rebuild(WarehouseSettings.model_validate(fields))
    assert (report.missing, report.differing) == ([], [])
    return database_url


async def answers(objects: Path, cache: Path, clients: list[str]) -> tuple[str, dict[str, list[str]]]:
    """The index version in service, and the codes that each client is recommended."""
    async with serving_published(LocalObjectStore(objects), cache) as recommender:
        told = {client: await recommender.recommend(client_id=client, max_results=5) for client in clients}
    (version,) = {each.index.version for each in told.values()}
    return version, {client: [each.company_code for each in one.recommendations] for client, one in told.items()}


async def test_the_recommender_answers_from_the_previous_index_as_before(
    objects: Path, tmp_path: Path, previous: Record
) -> None:
    version, told = await answers(objects, tmp_path / "cache", list(previous.answers))

    assert (version, told) == (previous.index_version, previous.answers)


async def test_the_previous_lake_gives_the_same_warehouse(database: str, previous: Record) -> None:
    connection = await asyncpg.connect(database)
    counts = [await connection.fetchval(f"SELECT count(*) FROM warehouse.{name}") for name in ("payments", "companies")]
    await connection.close()

    assert counts == [previous.payments, previous.companies]


async def test_an_index_of_this_code_follows_the_previous_one_and_is_rolled_back_to_it(
    database: str, objects: Path, tmp_path: Path, previous: Record
) -> None:
    async with indexer_serving(settings_for(database, objects, **CONTENT)) as indexer:
        built = (await indexer.build("of-this-code"))[-1].index_version.version
        published = await indexer.validate(built, publish=True)
        new, _ = await answers(objects, tmp_path / "new", ["client-0"])
        back = await indexer.roll_back()
        old, told = await answers(objects, tmp_path / "old", list(previous.answers))

    assert published.validation.passed, published.validation.checks
    assert (new, back.version, old) == (built, previous.index_version, previous.index_version)
    assert told == previous.answers


async def test_a_manifest_with_a_field_of_the_next_release_is_served(
    objects: Path, tmp_path: Path, previous: Record
) -> None:
    """So the code before a release goes on serving while the code after it builds, and after a rollback of the code."""
    store = LocalObjectStore(objects)
    told = json.loads(store.get(manifest_key(previous.index_version)))
    told["watermark"] = "2030-01-01T00:00:00Z"
    content = json.dumps({**told, "field_of_the_next_release": {"whatever": [1]}}).encode()
    version = f"20300101T000000Z-{sha256_of(content)[:12]}"
    _store_version(store, previous.index_version, version, content)

    served, codes = await answers(objects, tmp_path / "cache", list(previous.answers))

    assert (served, codes) == (version, previous.answers)


def _store_version(store: LocalObjectStore, of: str, version: str, manifest: bytes) -> None:
    """Puts a version with the files of another into service."""
    for name in FILES:
        store.put_if_absent(version_file_key(version, name), store.get(version_file_key(of, name)))
    store.put_if_absent(manifest_key(version), manifest)
    newest = json.loads(store.get(publication_key(1)))
    publication = {**newest, "epoch": 2, "version": version, "manifest_sha256": sha256_of(manifest), "also": "new"}
    store.put_if_absent(publication_key(2), json.dumps(publication).encode())
