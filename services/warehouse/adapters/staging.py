"""Rows into the temporary table `incoming` by one binary COPY: PostgreSQL reads a batch while the next is encoded."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.failures import copy_errors

Look = Callable[[pa.RecordBatch], None]


async def copy_rows(
    connection: AsyncConnection, schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch], look: Look | None = None
) -> int:
    """Appends all batches, which have this schema, and closes them; how many rows those were. `look` sees each."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    async with aclosing(batches), aclosing(_encoded(schema, batches, look)) as content, copy_errors(driver):
        status = await driver.copy_to_table("incoming", source=content, columns=schema.names, format="binary")
    return int(status.removeprefix("COPY "))


async def _encoded(
    schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch], look: Look | None
) -> AsyncGenerator[bytes]:
    encoder = ArrowToPostgresBinaryEncoder(schema)

    def encoded(batch: pa.RecordBatch) -> bytes:
        if look:
            look(batch)
        return encoder.write_batch(batch)

    yield encoder.write_header()
    async for batch in batches:
        yield await asyncio.to_thread(encoded, batch)
    yield encoder.finish()
