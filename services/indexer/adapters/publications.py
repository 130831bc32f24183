"""Publications as objects; their keys sort as their epochs do."""

import asyncio

from services.contracts.bundle import PUBLISHED_PREFIX, Publication, publication_key
from services.indexer.adapters.records import record
from services.runtime.errors import DataLoss
from services.runtime.objects.store import ObjectStore


class PublicationObjects:
    """See Publications. What was read once is kept: a publication never changes."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._known: dict[str, Publication] = {}

    async def all(self) -> list[Publication]:
        """See Publications."""
        keys = await asyncio.to_thread(lambda: [info.key for info in self._store.list(PUBLISHED_PREFIX)])
        return list(await asyncio.gather(*map(self._read, keys)))

    async def add(self, publication: Publication) -> bool:
        """See Publications."""
        return await asyncio.to_thread(
            self._store.put_if_absent, publication_key(publication.epoch), publication.to_bytes()
        )

    async def _read(self, key: str) -> Publication:
        if key not in self._known:
            publication = record(Publication, await asyncio.to_thread(self._store.get, key), key)
            if publication_key(publication.epoch) != key:  # who counted on from it would never find a free epoch
                raise DataLoss(f"{key} says that it is epoch {publication.epoch}; restore it, or delete it")
            self._known[key] = publication
        return self._known[key]
