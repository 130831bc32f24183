"""No byte of the lake is used before its checksum agrees; what cannot be read leaves the warehouse as it was."""

import asyncio
import io
from contextlib import aclosing, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.contracts.lake import PAYMENTS_SCHEMA, LakeManifest, manifest_key
from services.runtime.checksums import sha256_of
from services.runtime.errors import DataLoss, FailedPrecondition, NotFound
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.domain.loads import LoadRequest
from services.warehouse.queries import Queries
from services.warehouse.workflow import Loads
from tests.integration.warehouse.lake_writer import payments_table, put_payments
from tests.integration.warehouse.oracle import EPOCH, Observation

ROWS = [Observation(f"p{number}", "A", EPOCH) for number in range(10)]


class TellingStore(LocalObjectStore):
    """A store that tells when it has fetched an object."""

    def __init__(self, inner: LocalObjectStore, loop: asyncio.AbstractEventLoop, fetched: asyncio.Event) -> None:
        super().__init__(inner._root)
        self._loop = loop
        self._fetched = fetched

    def fetch(self, key: str, destination: Path) -> None:
        """See ObjectStore."""
        super().fetch(key, destination)
        self._loop.call_soon_threadsafe(self._fetched.set)


def manifest_of(store: LocalObjectStore, request: LoadRequest) -> LakeManifest:
    return LakeManifest.from_bytes(store.get(request.manifest_key))


def replace_object(store: LocalObjectStore, key: str, content: bytes) -> None:
    store.delete(key)
    assert store.put_if_absent(key, content)


def with_part(store: LocalObjectStore, content: bytes, rows: int = len(ROWS)) -> LoadRequest:
    """A load whose manifest tells the truth about a part of these bytes."""
    request = put_payments(store, "run-1", ROWS)
    manifest = manifest_of(store, request)
    told = manifest.parts[0].model_copy(update={"sha256": sha256_of(content), "size": len(content), "rows": rows})
    replace_object(store, told.key, content)
    changed = manifest.model_copy(update={"parts": (told,)}).to_bytes()
    replace_object(store, request.manifest_key, changed)
    return LoadRequest("run-1", request.manifest_key, sha256_of(changed))


def parquet(table: pa.Table) -> bytes:
    content = io.BytesIO()
    # Plain values and no statistics: a value stands in its page alone.
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(table, content, write_page_checksum=True, **plain)
    return content.getvalue()


async def assert_nothing_loaded(queries: Queries) -> None:
    assert (await queries.statistics()).payment_versions == 0
    assert await queries.watermarks() == {}


async def test_a_part_with_one_changed_bit_is_refused_by_its_key(
    loads: Loads, object_store: LocalObjectStore, queries: Queries
) -> None:
    request = put_payments(object_store, "run-1", ROWS, watermark=EPOCH)
    key = manifest_of(object_store, request).parts[0].key
    content = bytearray(object_store.get(key))
    content[len(content) // 2] ^= 1
    replace_object(object_store, key, bytes(content))
    with pytest.raises(DataLoss, match="part-01-00000"):
        await loads.load_payments(request)
    await assert_nothing_loaded(queries)


async def test_a_changed_manifest_is_refused(loads: Loads, object_store: LocalObjectStore, queries: Queries) -> None:
    request = put_payments(object_store, "run-1", ROWS)
    replace_object(object_store, request.manifest_key, object_store.get(request.manifest_key) + b" ")
    with pytest.raises(DataLoss, match="manifest-01"):
        await loads.load_payments(request)
    await assert_nothing_loaded(queries)


async def test_a_page_that_was_broken_before_its_checksum_was_taken_is_found_by_the_page_s_own(
    loads: Loads, object_store: LocalObjectStore, queries: Queries
) -> None:
    content = bytearray(parquet(payments_table(ROWS)))
    place = content.index(b"client-1")
    content[place] ^= 1
    with pytest.raises(DataLoss, match="no sound Parquet"):
        await loads.load_payments(with_part(object_store, bytes(content)))
    await assert_nothing_loaded(queries)


async def test_a_part_that_is_gone_is_named(loads: Loads, object_store: LocalObjectStore) -> None:
    request = put_payments(object_store, "run-1", ROWS)
    object_store.delete(manifest_of(object_store, request).parts[0].key)
    with pytest.raises(DataLoss, match=r"part-01-00000.* is gone"):
        await loads.load_payments(request)


async def test_a_manifest_that_is_not_there_is_not_found(loads: Loads) -> None:
    with pytest.raises(NotFound, match=r"raw/none\.json"):
        await loads.load_payments(LoadRequest("run-1", "raw/none.json", "0" * 64))


@pytest.mark.parametrize("content", [b"", b"no Parquet", parquet(payments_table(ROWS))[:-100]])
async def test_a_part_that_is_no_parquet_is_named(loads: Loads, object_store: LocalObjectStore, content: bytes) -> None:
    with pytest.raises(DataLoss, match="no sound Parquet"):
        await loads.load_payments(with_part(object_store, content))


@pytest.mark.parametrize(
    "schema",
    [
        PAYMENTS_SCHEMA.remove(0),
        PAYMENTS_SCHEMA.set(4, pa.field("amount", pa.float64(), nullable=False)),
        PAYMENTS_SCHEMA.set(3, pa.field("status", pa.string())),
    ],
    ids=["a column less", "a float amount", "a status that may be missing"],
)
async def test_a_part_with_other_columns_is_refused_by_its_key(
    loads: Loads, object_store: LocalObjectStore, schema: pa.Schema
) -> None:
    table = payments_table(ROWS).select(schema.names).cast(schema)
    with pytest.raises(FailedPrecondition, match="part-01-00000"):
        await loads.load_payments(with_part(object_store, parquet(table)))


async def test_a_part_with_fewer_rows_than_told_is_refused(
    loads: Loads, object_store: LocalObjectStore, queries: Queries
) -> None:
    with pytest.raises(DataLoss, match="rows"):
        await loads.load_payments(with_part(object_store, parquet(payments_table(ROWS)), rows=len(ROWS) + 1))
    await assert_nothing_loaded(queries)


async def test_what_is_no_manifest_is_refused(loads: Loads, object_store: LocalObjectStore) -> None:
    key = manifest_key("raw/payments/run=x", 1)
    assert object_store.put_if_absent(key, b'{"secret": 1}')
    with pytest.raises(FailedPrecondition, match="no manifest") as refused:
        await loads.load_payments(LoadRequest("run-1", key, sha256_of(b'{"secret": 1}')))
    assert "secret" not in str(refused.value)


async def test_a_reading_that_is_cancelled_ends_before_its_file_is_removed(object_store: LocalObjectStore) -> None:
    request = put_payments(object_store, "run-1", [Observation(f"p{number}", "A", EPOCH) for number in range(20_000)])
    manifest = manifest_of(object_store, request)
    for turns in range(20):
        fetched = asyncio.Event()
        store = TellingStore(object_store, asyncio.get_running_loop(), fetched)
        async with aclosing(ParquetLake(store).batches(manifest)) as batches:
            reading = asyncio.ensure_future(anext(batches))
            await fetched.wait()
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.cancel()
            # Cancelled, or done just before; never an error of a reader that was closed while it read.
            with suppress(asyncio.CancelledError):
                assert (await reading).num_rows == 20_000
