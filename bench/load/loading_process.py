"""`python -m bench.load.loading_process DATABASE_URL OBJECT_STORE_URL`: loads what it is told, as the service does.

One line of JSON in, a LoadRequest; one line out: seconds, rows by outcome, and the most memory held so far.
"""

import asyncio
import json
import logging
import sys
import time
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog

from services.runtime.clock import utc_now
from services.runtime.database import check_database, open_database
from services.runtime.objects.opening import open_object_store
from services.runtime.resident_memory import peak_rss_mib
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.domain.loads import LoadRequest
from services.warehouse.workflow import Loads

TIMEOUT = timedelta(hours=1)


async def serve(database_url: str, object_store_url: str) -> None:
    """Until the input ends."""
    async with open_database(database_url, "bench") as engine:
        await check_database(engine)
        lake = ParquetLake(open_object_store(object_store_url, None))
        loads = Loads(PostgresLoadStore(engine, TIMEOUT), lake, 0.5, utc_now)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await _load(loads, json.loads(line))), flush=True)


async def _load(loads: Loads, told: dict[str, str]) -> dict[str, float]:
    watermark = datetime.fromisoformat(told["advance_watermark_to"])
    request = LoadRequest(told["load_id"], told["manifest_key"], told["manifest_sha256"], watermark)
    started = time.perf_counter()
    load = await loads.load_payments(request)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_rss_mib": peak_rss_mib(), **asdict(load.counts)}


if __name__ == "__main__":
    # Standard output is for answers alone.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(serve(*sys.argv[1:3]))
