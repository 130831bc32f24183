"""The keys of a pass, as the lake has them: of its rows, and of those that were refused."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pyarrow as pa

from services.contracts.lake import PAYMENTS_SCHEMA, QUARANTINE_SCHEMA, LakeManifest
from services.contracts.raw_rows import key_of_raw
from services.warehouse.adapters.parquet_lake import ParquetLake

KEY = ["payment_id", "company_code"]
KEY_SCHEMA = pa.schema([PAYMENTS_SCHEMA.field(name) for name in KEY])


class PassKeys(ParquetLake):
    """See services.warehouse.reconciling.PassLake."""

    async def keys(self, manifest: LakeManifest) -> AsyncGenerator[pa.RecordBatch, None]:
        """See PassLake."""
        async with aclosing(self.batches(manifest)) as batches:
            async for batch in batches:
                yield batch.select(KEY)
        async with aclosing(self.rows(manifest.quarantine, QUARANTINE_SCHEMA)) as batches:
            async for batch in batches:
                keys = {key for raw in batch.column("raw").to_pylist() if (key := key_of_raw(raw))}
                yield pa.RecordBatch.from_pylist([dict(zip(KEY, key, strict=True)) for key in keys], KEY_SCHEMA)
