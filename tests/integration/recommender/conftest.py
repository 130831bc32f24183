"""A recommender that serves the planted world as epoch 4."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import publish_world
from tests.integration.recommender.serving import Recommender, serving_published


@pytest.fixture
async def recommender(object_store: LocalObjectStore, tmp_path: Path) -> AsyncIterator[Recommender]:
    """Its index is in service, and it looks for another only when told to."""
    publish_world(object_store, tmp_path / "bundle", epoch=4)
    async with serving_published(object_store, tmp_path / "cache") as serving:
        yield serving
