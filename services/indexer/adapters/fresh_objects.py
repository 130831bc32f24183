"""Fresh histories as objects; see services.contracts.fresh."""

import asyncio
from collections.abc import Iterator
from datetime import datetime

import structlog

from services.contracts.fresh import FRESH_PREFIX, KEY, Fresh, fresh_key, fresh_of, fresh_prefix
from services.runtime.objects.store import ObjectNotFound, ObjectStore

log = structlog.get_logger(__name__)


class StoredFreshObjects:
    """See FreshObjects."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def newest(self, version: str) -> Fresh | None:
        """See FreshObjects."""
        return await asyncio.to_thread(self._newest, version)

    async def number(self, version: str, published_at: datetime) -> int:
        """See FreshObjects."""
        newest = await asyncio.to_thread(lambda: max(self._numbers(version), default=None))
        return int(published_at.timestamp() * 1000) if newest is None else newest + 1

    async def add(self, fresh: Fresh) -> bool:
        """See FreshObjects."""
        key = fresh_key(fresh.header.version, fresh.header.number)
        return await asyncio.to_thread(lambda: self._store.put_if_absent(key, fresh.to_bytes()))

    async def keep_only_newest(self, versions: set[str]) -> None:
        """See FreshObjects."""
        await asyncio.to_thread(self._remove_others, versions)

    def _newest(self, version: str) -> Fresh | None:
        for number in sorted(self._numbers(version), reverse=True):
            key = fresh_key(version, number)
            try:
                return fresh_of(self._store.get(key), key)
            except ObjectNotFound:  # another replica has made a newer one
                continue
            except ValueError as error:
                log.warning("fresh histories damaged", key=key, problem=str(error))
        return None

    def _numbers(self, version: str) -> Iterator[int]:
        found = (KEY.fullmatch(info.key) for info in self._store.list(fresh_prefix(version)))
        return (int(match[2]) for match in found if match)

    def _remove_others(self, versions: set[str]) -> None:
        keys = [info.key for info in self._store.list(FRESH_PREFIX)]
        newest = {match[1]: key for key in keys if (match := KEY.fullmatch(key))}
        for key in keys:
            if key not in {newest.get(version) for version in versions}:
                self._store.delete(key)
