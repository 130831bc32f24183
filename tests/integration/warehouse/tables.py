"""The warehouse's tables as values, to compare with the oracle."""

from datetime import datetime

import asyncpg

from tests.integration.warehouse.oracle import Key, Version, recorded_at


async def stored_versions(connection: asyncpg.Connection) -> set[Version]:
    """warehouse.payments; fails when two rows are equal, or `is_current` lies."""
    rows = await connection.fetch("SELECT * FROM warehouse.payments")
    versions = {
        Version(
            key=(row["payment_id"], row["company_code"]),
            attributes=(row["payment_at"], row["status"], row["amount"], row["external_client_id"]),
            created_at=row["created_at"],
            start=row["start_date"],
            end=row["end_date"],
        )
        for row in rows
    }
    assert len(versions) == len(rows)
    assert all(row["is_current"] == (row["end_date"] is None) for row in rows)
    return versions


async def stored_observations(connection: asyncpg.Connection) -> int:
    """Versions and confirmations together: every distinct observation once."""
    count: int = await connection.fetchval(
        "SELECT (SELECT count(*) FROM warehouse.payments) + (SELECT count(*) FROM warehouse.payment_confirmations)"
    )
    return count


async def all_rows(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """Every value of every row of the warehouse, by table: the same for two databases that hold the same."""
    tables = ("payments", "payment_confirmations", "companies", "loads", "watermarks")
    rows = {name: await connection.fetch(f"SELECT t::text FROM warehouse.{name} AS t ORDER BY 1") for name in tables}
    return {name: [row["t"] for row in found] for name, found in rows.items()}


async def stored_origins(connection: asyncpg.Connection) -> set[tuple[Key, datetime, str]]:
    """Of versions and confirmations: key, place, load that told it; fails when `recorded_at` is not that load's."""
    rows = await connection.fetch(
        "SELECT payment_id, company_code, start_date AS at, load_id, recorded_at FROM warehouse.payments UNION ALL"
        " SELECT payment_id, company_code, observed_at, load_id, recorded_at FROM warehouse.payment_confirmations"
    )
    assert all(row["recorded_at"] == recorded_at(row["load_id"]) for row in rows)
    return {((row["payment_id"], row["company_code"]), row["at"], row["load_id"]) for row in rows}


async def written_rows(connection: asyncpg.Connection) -> list[tuple[object, ...]]:
    """Every row's place and last writer: the same before and after when nothing at all was written."""
    tables = ("payments", "payment_confirmations", "companies", "loads", "watermarks")
    places = [await connection.fetch(f"SELECT '{table}', ctid, xmin FROM warehouse.{table}") for table in tables]
    return sorted(tuple(map(str, row)) for rows in places for row in rows)
