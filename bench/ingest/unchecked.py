"""`python -m bench.ingest.unchecked URL FOLDER`: the least that brings the payments of a source into Parquet in order.

Pages fetched as ours fetches them, columns by Arrow in as many threads as serve, one file; amounts exact, times as
times. Nothing is checked, no page joined on to another: what ours does beyond it is the distance between the two.
"""

import asyncio
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.json as pj

from bench.ingest.fetching import fetch_all
from bench.ingest.outcome import say
from services.contracts.lake import PAYMENTS_SCHEMA
from services.ingest.adapters.parquet import to_parquet

THREADS = 2
LAKE = pa.schema([field.with_nullable(nullable=True) for field in PAYMENTS_SCHEMA if field.name != "position"])
NAMES = ["id" if name == "payment_id" else name for name in LAKE.names]
READ = pa.list_(
    pa.struct(
        [
            (name, pa.string() if pa.types.is_timestamp(field.type) else field.type)
            for name, field in zip(NAMES, LAKE, strict=True)
        ]
    )
)


async def read(url: str, folder: Path) -> None:
    """Every page once."""
    started = time.perf_counter()
    pages: dict[int, Future[pa.RecordBatch]] = {}
    with ThreadPoolExecutor(THREADS) as threads:

        def take(offset: int, body: bytes) -> None:
            pages[offset] = threads.submit(_columns, body)

        await fetch_all(url, take)
    payments = [pages[offset].result() for offset in sorted(pages)]
    (folder / "payments.parquet").write_bytes(to_parquet(payments))
    say(time.perf_counter() - started, sum(map(len, payments)))


def _columns(body: bytes) -> pa.RecordBatch:
    whole = b'{"rows":' + body + b"}"
    options = pj.ReadOptions(use_threads=False, block_size=len(whole) + 1)
    parsing = pj.ParseOptions(explicit_schema=pa.schema([("rows", READ)]), unexpected_field_behavior="ignore")
    rows = pj.read_json(pa.BufferReader(whole), options, parsing)["rows"].chunk(0).flatten()
    return pa.RecordBatch.from_struct_array(rows).rename_columns(LAKE.names).cast(LAKE)


if __name__ == "__main__":
    asyncio.run(read(sys.argv[1], Path(sys.argv[2])))
