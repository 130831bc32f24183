"""The erasures that a lake remembers, for a warehouse that is built again from it.

By the warehouse's record of erasures the indexer tells which index versions are from before one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.erasures import PREFIX, SALT_KEY, ErasureRecord, ErasureSalt
from services.contracts.sealed import Sealed
from services.runtime.database import database_errors
from services.runtime.errors import DataLoss
from services.runtime.objects.store import ObjectStore

Document = TypeVar("Document", bound=Sealed)

# One that was broken off before the lake was rid of its client is none as yet. Counts are of what a call removed.
ENTER = """
WITH clients AS MATERIALIZED (
    SELECT sha256(CAST(:salt AS bytea) || convert_to(external_client_id, 'UTF8')) AS digest,
           min(least(created_at, updated_at)) AS first
    FROM warehouse.payments GROUP BY external_client_id
)
INSERT INTO warehouse.erasures (erasure_id, versions, confirmations, erased_at)
SELECT erasure_id, 0, 0, :entered_at
FROM unnest(CAST(:ids AS text[]), CAST(:digests AS bytea[]), CAST(:untils AS timestamptz[]))
    AS erased (erasure_id, digest, until)
WHERE NOT EXISTS (SELECT FROM clients WHERE clients.digest = erased.digest AND clients.first <= erased.until)
ON CONFLICT (erasure_id) DO NOTHING
"""


def read_erasures(store: ObjectStore) -> tuple[bytes, list[ErasureRecord]]:
    """The salt of digests, and all erasures; DataLoss, naming the object, for one that is damaged. Blocks."""
    keys = [info.key for info in store.list(PREFIX) if info.key != SALT_KEY]
    if not keys:
        return b"", []
    return bytes.fromhex(_read(store, ErasureSalt, SALT_KEY).salt), [_read(store, ErasureRecord, key) for key in keys]


async def enter_erasures(
    engine: AsyncEngine, salt: bytes, records: Sequence[ErasureRecord], entered_at: datetime
) -> None:
    """Enters those of whose clients no payment is left that is meant."""
    values = {
        "salt": salt,
        "ids": [record.erasure_id for record in records],
        "digests": [bytes.fromhex(record.client_digest) for record in records],
        "untils": [record.until for record in records],
        "entered_at": entered_at,
    }
    async with database_errors(), engine.begin() as connection:
        await connection.execute(text(ENTER), values)


def _read(store: ObjectStore, kind: type[Document], key: str) -> Document:
    try:
        return kind.from_bytes(store.get(key))
    except ValueError as error:
        raise DataLoss(f"object {key!r} does not tell of an erasure; restore it", metadata={"key": key}) from error
