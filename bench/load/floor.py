"""The floor: a binary COPY of rows that were encoded before, into a table without an index. Nothing loads faster."""

import asyncio
import io
import time

import asyncpg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder

from services.warehouse.adapters.payments_merge import STAGING

TABLE = STAGING.replace("CREATE TEMPORARY TABLE incoming", "CREATE TABLE the_floor").replace("ON COMMIT DROP", "")


def copy_seconds(database_url: str, table: pa.Table) -> float:
    """Seconds from the first byte to the committed transaction."""
    encoder = ArrowToPostgresBinaryEncoder(table.schema)
    header = encoder.write_header()
    batches = [encoder.write_batch(batch) for batch in table.to_batches()]
    content = io.BytesIO(b"".join([header, *batches, encoder.finish()]))
    return asyncio.run(_copy_seconds(database_url, content))


async def _copy_seconds(database_url: str, content: io.BytesIO) -> float:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("DROP TABLE IF EXISTS the_floor")
        await connection.execute(TABLE)
        started = time.perf_counter()
        await connection.copy_to_table("the_floor", source=content, format="binary")
        return time.perf_counter() - started
    finally:
        await connection.close()
