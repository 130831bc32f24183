"""Payments into their history, as a function of everything ever observed of a key.

Only keys with an observation not seen before are touched (see payments_fresh). For each, the timeline of all its
observations is laid out anew - those of the table, then those of the load - and the difference to what stands is
applied. An observation that repeats the attributes before it is a confirmation, no version; it is kept, for a late row
between the two makes it one.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.joins import Joins
from services.warehouse.adapters.payments_fresh import Staged, find_fresh
from services.warehouse.adapters.payments_timeline import STORED, TIMELINE, Stamp, apply_timeline
from services.warehouse.domain.loads import LoadCounts

STAGING = """
CREATE TEMPORARY TABLE incoming (
    payment_id text COLLATE "C" NOT NULL,
    company_code text COLLATE "C" NOT NULL,
    payment_at timestamptz,
    status text COLLATE "C" NOT NULL,
    amount numeric(18, 2) NOT NULL,
    external_client_id text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    position bigint NOT NULL
) ON COMMIT DROP
"""
OBSERVATIONS = f"""
    WITH affected AS MATERIALIZED (SELECT DISTINCT payment_id, company_code FROM fresh)
    SELECT payment_id, company_code, payment_at, status, amount, external_client_id, created_at, updated_at, position,
        NULL::tid AS stored_row, NULL::timestamptz AS stored_at, NULL::timestamptz AS stored_end, false AS was_version,
        NULL::timestamptz AS recorded_at, NULL::text AS load_id
    FROM fresh
    UNION ALL
    {STORED.format(keys="affected")}
"""
COUNTS = """
SELECT
    count(*) FILTER (WHERE newest_known IS NULL AND place = 1) AS new_count,
    count(*) FILTER (WHERE updated_at < newest_known) AS late_count,
    count(*) FILTER (
        WHERE is_version AND (updated_at >= newest_known OR (newest_known IS NULL AND place > 1))
    ) AS changed_count
FROM timeline
WHERE stored_at IS NULL
"""


async def merge_payments(connection: AsyncConnection, staged: Staged, stamp: Stamp, joins: Joins) -> LoadCounts:
    """Merges the staged rows; what became of them."""
    fresh = await find_fresh(connection, staged, joins)
    if fresh == 0:
        return LoadCounts(new=0, changed=0, unchanged=staged.rows)
    await joins.choose(connection, "fresh", fresh, joins.history)
    await connection.execute(text(TIMELINE.format(observations=OBSERVATIONS)))
    counts = (await connection.execute(text(COUNTS))).one()
    await apply_timeline(connection, stamp)
    known = counts.new_count + counts.changed_count + counts.late_count
    return LoadCounts(
        new=counts.new_count,
        changed=counts.changed_count,
        unchanged=staged.rows - known,
        late=counts.late_count,
    )
