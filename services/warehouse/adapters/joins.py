"""How PostgreSQL is to join a load to a table: key by key through the index, or with one scan of the table.

Of a table that was just filled the planner knows next to nothing, and a wrong guess costs minutes. We know the sizes.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# What a scan reads in the time of one look through the index. Measured: 1.3 kB with all in memory; a disk favours
# scans more, and so does a table that is mostly older than the load.
SCANNED_BYTES_PER_LOOKUP = 2_000
SIZES = """
SELECT pg_table_size('warehouse.payments') AS payments,
    pg_table_size('warehouse.payments') + pg_table_size('warehouse.payment_confirmations') AS history,
    to_regprocedure('timestamptz_hash(timestamptz)') IS NOT NULL AS can_sieve
"""
BY_INDEX = """
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('enable_nestloop', 'on', true)
"""
# Rows of a temporary table stay with the leader, but workers may read the other one for it.
BY_SCAN = """
SELECT set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'off', true),
    set_config('enable_nestloop', 'off', true), set_config('parallel_tuple_cost', '0', true),
    set_config('default_statistics_target', '2', true)
"""


@dataclass(frozen=True, slots=True)
class Joins:
    """Sizes in bytes as they were when the load began: of the versions alone, and with the confirmations.

    `can_sieve`: this PostgreSQL hashes a time for us, as 18 does.
    """

    payments: int
    history: int
    can_sieve: bool
    scanned_bytes_per_lookup: int

    def by_index(self, count: int, table_bytes: int) -> bool:
        """Whether `count` rows should rather be looked up than joined by a scan of tables of this size."""
        return table_bytes > count * self.scanned_bytes_per_lookup

    async def choose(self, connection: AsyncConnection, rows: str, count: int, table_bytes: int) -> None:
        """For the next statements, which join `count` rows of the temporary table `rows` to tables of this size."""
        if self.by_index(count, table_bytes):
            await connection.execute(text(BY_INDEX))
        else:
            await connection.execute(text(BY_SCAN))
            # A few hundred rows tell that keys differ, so that the smaller side is hashed.
            await connection.execute(text(f"ANALYZE {rows} (payment_id, company_code, updated_at)"))


async def measured(connection: AsyncConnection, scanned_bytes_per_lookup: int) -> Joins:
    """For the tables as they stand."""
    sizes = (await connection.execute(text(SIZES))).mappings().one()
    return Joins(**sizes, scanned_bytes_per_lookup=scanned_bytes_per_lookup)


async def look_up(connection: AsyncConnection) -> None:
    """For the next statements, which name each row by its place in the table."""
    await connection.execute(text(BY_INDEX))
