"""Rows into the temporary table `incoming`, batch after batch, by COPY.

Arrow writes the batch as CSV three times as fast as Python makes tuples of it for a binary COPY. Times go without
their zone, which Arrow formats 25 times as fast; the transaction reads them as UTC.
"""

import asyncio
import io
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
from sqlalchemy.ext.asyncio import AsyncConnection

from services.runtime.errors import FailedPrecondition
from services.warehouse.adapters.failures import copy_errors

OPTIONS = pc.WriteOptions(include_header=False, quoting_style="needed")


async def copy_batch(connection: AsyncConnection, batch: pa.RecordBatch) -> None:
    """Appends a batch; FailedPrecondition when PostgreSQL took in other rows than were sent."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    content = await asyncio.to_thread(_as_csv, batch)
    async with copy_errors(driver):
        status = await driver.copy_to_table("incoming", source=content, columns=batch.schema.names, format="csv")
    # Before PostgreSQL 18 a line that holds nothing but \. ends a CSV, even inside quotes.
    if status != f"COPY {batch.num_rows}":
        raise FailedPrecondition("a text of the load holds a line of nothing but \\. ; quarantine its row")


def _as_csv(batch: pa.RecordBatch) -> io.BytesIO:
    content = io.BytesIO()
    pc.write_csv(batch.cast(_without_zones(batch.schema)), content, OPTIONS)
    content.seek(0)
    return content


def _without_zones(schema: pa.Schema) -> pa.Schema:
    fields = [field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field for field in schema]
    return pa.schema(fields)
