"""Where a client still stands: in rows of any table, and in objects, those in Parquet unpacked."""

import io

import asyncpg
import pyarrow.parquet as pq

from services.runtime.objects.store import ObjectNotFound, ObjectStore

TABLES = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('ingest', 'warehouse')"
OTHERS = "SELECT * FROM warehouse.payments WHERE external_client_id <> $1 ORDER BY payment_id, company_code, start_date"


async def traces(url: str, store: ObjectStore, client: str) -> list[str]:
    """The tables and object keys that hold the text anywhere."""
    connection = await asyncpg.connect(url)
    try:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        counts = {name: await connection.fetchval(rows_with(name), f"%{client}%") for name in tables}
    finally:
        await connection.close()
    return [name for name, count in counts.items() if count] + objects_with(store, client)


def rows_with(table: str) -> str:
    """A query for the number of rows of a table that hold a text; its parameter is a pattern of LIKE."""
    return f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE $1"


def objects_with(store: ObjectStore, client: str) -> list[str]:
    """The keys of objects that hold the text."""
    return [info.key for info in store.list("") if client in info.key + unpacked(store, info.key)]


def unpacked(store: ObjectStore, key: str) -> str:
    """An object as text; of one that was removed since it was listed, as fresh histories are, nothing is left."""
    try:
        content = store.get(key)
    except ObjectNotFound:
        return ""
    return (
        str(pq.read_table(io.BytesIO(content)).to_pylist())
        if key.endswith(".parquet")
        else content.decode(errors="replace")
    )


def lake_rows(store: ObjectStore, area: str) -> list[str]:
    """Every row of the area's parts, as text, whichever part it stands in."""
    keys = [info.key for info in store.list(f"{area}/payments/") if info.key.endswith(".parquet")]
    return sorted(str(row) for key in keys for row in pq.read_table(io.BytesIO(store.get(key))).to_pylist())


async def rows_of_others(url: str, client: str) -> list[asyncpg.Record]:
    """All versions of payments but the client's, with everything that is known of them."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(OTHERS, client))
    finally:
        await connection.close()
