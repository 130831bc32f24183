"""Who was erased, in the object store. Records are never changed, so that each is read once."""

import asyncio
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from services.contracts.erasures import PREFIX, SALT_BYTES, SALT_KEY, ErasureRecord, ErasureSalt, record_key
from services.contracts.sealed import Sealed
from services.ingest.adapters.once import put_once
from services.ingest.domain.erasure import ErasedClients
from services.runtime.errors import DataLoss
from services.runtime.objects.store import ObjectNotFound, ObjectStore

AT_ONCE = 8
Document = TypeVar("Document", bound=Sealed)


class ObjectErasureRecords:
    """See services.ingest.workflow.erasure_ports.ErasureRecords. Whatever blocks runs in threads."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._known: dict[str, ErasureRecord] = {}

    async def salt(self) -> bytes:
        """See ErasureRecords."""
        return await asyncio.to_thread(_salt, self._store)

    async def keep(self, record: ErasureRecord) -> None:
        """See ErasureRecords."""
        await asyncio.to_thread(put_once, self._store, record_key(record.erasure_id), record.to_bytes())

    async def erased_clients(self) -> ErasedClients:
        """See ErasureRecords."""
        records = await asyncio.to_thread(self._read)
        if not records:
            return ErasedClients()
        # Of two erasures of one client the later one counts.
        ordered = sorted(records, key=lambda record: record.until)
        until = {bytes.fromhex(record.client_digest): record.until for record in ordered}
        return ErasedClients(await self.salt(), until)

    def _read(self) -> list[ErasureRecord]:
        keys = list(_record_keys(self._store))
        unknown = [key for key in keys if key not in self._known]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._known.update(
                zip(unknown, pool.map(partial(_document, self._store, ErasureRecord), unknown), strict=True)
            )
        return [self._known[key] for key in keys]


def _record_keys(store: ObjectStore) -> Iterator[str]:
    return (info.key for info in store.list(PREFIX) if info.key != SALT_KEY)


def _salt(store: ObjectStore) -> bytes:
    try:
        found = _document(store, ErasureSalt, SALT_KEY)
    except ObjectNotFound:
        if any(_record_keys(store)):
            raise DataLoss(f"object {SALT_KEY!r} is gone; without it nobody knows who was erased: restore it") from None
        # Whoever is first makes it, for all.
        store.put_if_absent(SALT_KEY, ErasureSalt(salt=secrets.token_hex(SALT_BYTES)).to_bytes())
        found = _document(store, ErasureSalt, SALT_KEY)
    return bytes.fromhex(found.salt)


def _document(store: ObjectStore, kind: type[Document], key: str) -> Document:
    try:
        return kind.from_bytes(store.get(key))
    except ValueError as error:
        raise DataLoss(f"object {key!r} does not tell who was erased; restore it", metadata={"key": key}) from error
