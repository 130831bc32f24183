"""A lake that something happens before."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import pyarrow as pa

from services.contracts.lake import LakeManifest
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.domain.loads import Dataset


@dataclass
class PausedLake:
    """The lake, which stops once before the first row until it is told to go on, or does something first."""

    inner: ParquetLake
    reached: asyncio.Event
    proceed: Callable[[], Awaitable[object]]

    async def manifest(self, key: str, sha256: str, dataset: Dataset) -> LakeManifest:
        """See Lake."""
        return await self.inner.manifest(key, sha256, dataset)

    async def batches(self, manifest: LakeManifest) -> AsyncGenerator[pa.RecordBatch, None]:
        """See Lake."""
        self.reached.set()
        await self.proceed()
        async with aclosing(self.inner.batches(manifest)) as batches:
            async for batch in batches:
                yield batch
