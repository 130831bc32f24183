"""Fresh histories as a test looks at them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from afin.indexer.v1 import indexer_pb2 as pb
from services.contracts.client_keys import client_key
from services.contracts.factors import History
from services.contracts.fresh import FRESH_PREFIX, Fresh, fresh_of
from services.runtime.objects.local import LocalObjectStore
from tests.integration.indexer.serving import CALL_SECONDS, Indexer, serving, settings_for


@dataclass(frozen=True)
class Published:
    """An indexer whose first build is in service."""

    indexer: Indexer
    url: str
    objects: Path
    version: str

    @property
    def store(self) -> LocalObjectStore:
        return LocalObjectStore(self.objects)

    async def refresh(self) -> pb.RefreshedHistories:
        """What came of the only version in service."""
        answer = await self.indexer.stub.RefreshHistories(pb.RefreshHistoriesRequest(), timeout=CALL_SECONDS)
        (done,) = answer.versions
        return done


@asynccontextmanager
async def published(url: str, objects: Path, **changes: object) -> AsyncIterator[Published]:
    """Builds what the database holds and puts it into service; `changes` of the settings."""
    async with serving(settings_for(url, objects, **changes)) as indexer:
        version = (await indexer.build("build-1"))[-1].index_version.version
        await indexer.validate(version, publish=True, override_reason="it is a test")
        yield Published(indexer, url, objects, version)


def keys_of(store: LocalObjectStore) -> list[str]:
    """The keys of all fresh objects."""
    return [info.key for info in store.list(FRESH_PREFIX)]


def newest(store: LocalObjectStore) -> Fresh:
    """The only object there is."""
    (key,) = keys_of(store)
    return fresh_of(store.get(key), key)


def history_of(fresh: Fresh, client: str) -> History | None:
    """A client's history; None where it is not told."""
    columns = fresh.columns
    wanted = list(client_key(client))
    for row, key in enumerate(columns.keys.tolist()):
        if key == wanted:
            part = slice(int(columns.offsets[row]), int(columns.offsets[row + 1]))
            return History(columns.companies[part], columns.weights[part], columns.habits[part])
    return None
