"""Rows into the temporary table `incoming` by one binary COPY: PostgreSQL reads a batch while the next is encoded."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.failures import copy_errors


async def copy_rows(connection: AsyncConnection, schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch]) -> int:
    """Appends all batches, which have this schema, and closes them; how many rows those were."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    async with aclosing(batches), aclosing(_encoded(schema, batches)) as content, copy_errors(driver):
        status = await driver.copy_to_table("incoming", source=content, columns=schema.names, format="binary")
    return int(status.removeprefix("COPY "))


async def _encoded(schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch]) -> AsyncGenerator[bytes]:
    encoder = ArrowToPostgresBinaryEncoder(schema)
    yield encoder.write_header()
    async for batch in batches:
        yield await asyncio.to_thread(encoder.write_batch, batch)
    yield encoder.finish()
