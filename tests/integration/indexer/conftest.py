"""A warehouse with planted rows and a store with two built versions, made once; each test has a copy of the store."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.indexer.settings import IndexerSettings
from services.runtime.objects.local import LocalObjectStore
from tests.integration.indexer.serving import serving, settings_for
from tests.integration.indexer.warehouse_rows import (
    insert_rows,
    migrated_database,
    planted_companies,
    planted_payments,
)

FIRST_BUILD, SECOND_BUILD = "build-1", "build-2"


@dataclass(frozen=True)
class World:
    """A database, an object store, and the two versions that stand in it; the second has more trees."""

    database_url: str
    objects: Path
    first: str
    second: str

    @property
    def store(self) -> LocalObjectStore:
        """The object store."""
        return LocalObjectStore(self.objects)

    def settings(self, **changes: object) -> IndexerSettings:
        """Those that the first version was built with, but for the changes."""
        return settings_for(self.database_url, self.objects, **changes)


@pytest.fixture(scope="session")
def training_database(postgres_url: str) -> Iterator[str]:
    """The planted world; read only."""
    with migrated_database(postgres_url) as url:
        asyncio.run(insert_rows(url, planted_payments(), planted_companies()))
        yield url


@pytest.fixture
def own_database(empty_database: str) -> str:
    """The planted world, for this test to change."""
    asyncio.run(insert_rows(empty_database, planted_payments(), planted_companies()))
    return empty_database


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """A migrated database of the test's own, without rows."""
    with migrated_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def built(training_database: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two versions, built and not published."""
    objects = tmp_path_factory.mktemp("built") / "objects"
    objects.mkdir()
    first = asyncio.run(_build(settings_for(training_database, objects), FIRST_BUILD))
    second = asyncio.run(_build(settings_for(training_database, objects, trees=9), SECOND_BUILD))
    return World(training_database, objects, first, second)


@pytest.fixture
def world(built: World, tmp_path: Path) -> World:
    """A copy of the store, for this test to change."""
    objects = tmp_path / "world"
    shutil.copytree(built.objects, objects)
    return World(built.database_url, objects, built.first, built.second)


async def _build(settings: IndexerSettings, build_id: str) -> str:
    async with serving(settings) as indexer:
        return (await indexer.build(build_id))[-1].index_version.version
