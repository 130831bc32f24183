"""The lake as the warehouse reads it: manifest and parts, each checked against its SHA-256 before a byte is used."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import aclosing, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from services.contracts.lake import COMPANIES_SCHEMA, PAYMENTS_SCHEMA, Dataset, LakeManifest, Part
from services.runtime.checksums import require_sha256
from services.runtime.errors import DataLoss, FailedPrecondition, InvalidArgument, Unavailable
from services.runtime.objects.store import ObjectNotFound, ObjectStore

SCHEMAS: dict[Dataset, pa.Schema] = {"payments": PAYMENTS_SCHEMA, "companies": COMPANIES_SCHEMA}
BATCH_ROWS = 25_000
Result = TypeVar("Result")


class ParquetLake:
    """Reads one part at a time through a file of its own: memory holds a batch, the disk a part."""

    def __init__(self, store: ObjectStore, batch_rows: int = BATCH_ROWS) -> None:
        self._store = store
        self._batch_rows = batch_rows

    async def manifest(self, key: str, sha256: str, dataset: Dataset) -> LakeManifest:
        """See Lake."""
        content = await asyncio.to_thread(self._store.get, key)
        require_sha256(content, sha256, key)
        try:
            manifest = LakeManifest.from_bytes(content)
        except ValueError:
            raise FailedPrecondition(f"object {key!r} is no manifest that this code reads") from None
        if manifest.dataset != dataset:
            raise InvalidArgument("manifest_key", f"names a manifest of {manifest.dataset}, not of {dataset}")
        return manifest

    async def batches(self, manifest: LakeManifest) -> AsyncGenerator[pa.RecordBatch, None]:
        """See Lake."""
        async with aclosing(self.rows(manifest.parts, SCHEMAS[manifest.dataset])) as batches:
            async for batch in batches:
                yield batch

    async def rows(self, parts: Sequence[Part], schema: pa.Schema) -> AsyncGenerator[pa.RecordBatch, None]:
        """The rows of some parts, in order; an error that names the part unless it is what its manifest tells."""
        for part in parts:
            with TemporaryDirectory(prefix="afin-part-") as folder:
                path = Path(folder) / "part.parquet"
                await _in_thread(self._fetch, part, path)
                with closing(self._read(part, path, schema)) as batches:
                    while (batch := await _in_thread(next, batches, None)) is not None:
                        yield batch

    def _fetch(self, part: Part, path: Path) -> None:
        try:
            self._store.fetch(part.key, path)
        except ObjectNotFound as error:
            raise DataLoss(
                f"part {part.key!r} of the manifest is gone; restore it", metadata={"key": part.key}
            ) from error
        except OSError as error:
            raise Unavailable(f"part {part.key!r} cannot be written to the local disk: {error.strerror}") from error
        require_sha256(path, part.sha256, part.key)

    def _read(self, part: Part, path: Path, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
        with _broken_parquet(part.key), pq.ParquetFile(path, page_checksum_verification=True) as file:
            if not file.schema_arrow.equals(schema):
                raise FailedPrecondition(
                    f"part {part.key!r} does not have the columns of the contract; write it with the same code version",
                    metadata={"key": part.key},
                )
            if file.metadata.num_rows != part.rows:
                raise DataLoss(f"part {part.key!r} does not have the rows that its manifest tells")
            yield from file.iter_batches(self._batch_rows)


async def _in_thread(function: Callable[..., Result], *arguments: object) -> Result:
    """The function's answer. When cancelled, still waits for its end: what it works on is closed next."""
    running = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.gather(running, return_exceptions=True)
        raise


@contextmanager
def _broken_parquet(key: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataLoss(f"part {key!r} is no sound Parquet file; restore it", metadata={"key": key}) from error
