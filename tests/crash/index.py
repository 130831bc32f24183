"""What a run published at its end: epochs without a gap, a whole bundle, and nobody in it who was erased."""

import asyncio
import io
from collections.abc import Collection
from uuid import UUID

import numpy as np

from services.contracts.bundle import (
    CLIENTS_FILE,
    IndexManifest,
    Publication,
    manifest_key,
    version_file_key,
)
from services.contracts.client_keys import client_key
from services.indexer.adapters.publications import PublicationObjects
from services.runtime.checksums import sha256_of
from services.runtime.objects.store import ObjectStore
from tests.crash.season import World

EPOCH = "SELECT counts ->> 'epoch' AS epoch FROM ingest.steps WHERE run_id = $1 AND name = 'validate_payments_index'"


async def published_epoch(world: World, run_id: UUID) -> int | None:
    """Under which a run's record says that it published; None: it did not."""
    epoch = (await world.database.fetch(EPOCH, run_id))[0]["epoch"]
    return None if epoch is None else int(epoch)


async def index_problems(world: World, epoch: int, erased: Collection[str]) -> list[str]:
    """Of a publication and of those before it."""
    publications = await PublicationObjects(world.store).all()
    if [each.epoch for each in publications] != list(range(1, len(publications) + 1)):
        return [f"the epochs are {[each.epoch for each in publications]}"]
    if epoch > len(publications):
        return [f"the run names epoch {epoch}, of {len(publications)}"]
    return await asyncio.to_thread(_bundle_problems, world.store, publications[epoch - 1], erased)


def _bundle_problems(store: ObjectStore, published: Publication, erased: Collection[str]) -> list[str]:
    content = store.get(manifest_key(published.version))
    if sha256_of(content) != published.manifest_sha256:
        return [f"the manifest of {published.version} is another than that which was published"]
    files = {file.name: file.sha256 for file in IndexManifest.model_validate_json(content).files}
    found = {name: store.get(version_file_key(published.version, name)) for name in files}
    problems = [f"{name} of {published.version} is damaged" for name in files if sha256_of(found[name]) != files[name]]
    known = {tuple(key) for key in np.load(io.BytesIO(found[CLIENTS_FILE])).tolist()}
    return problems + [f"{published.version} knows {client}" for client in erased if client_key(client) in known]
