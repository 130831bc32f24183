"""The timeline of keys: their observations in order, and which of them make versions. The one rule of the history.

For loads, which add observations, and for erasures, which take some away.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.joins import look_up

# The covering version lends a confirmation its attributes.
COVERING = """
    p.payment_id = c.payment_id AND p.company_code = c.company_code
    AND p.start_date <= c.observed_at AND (p.end_date IS NULL OR p.end_date > c.observed_at)
"""
# What stands of the keys in the table {keys}, each of which is there once.
STORED = f"""
    SELECT p.payment_id, p.company_code, p.payment_at, p.status, p.amount, p.external_client_id, p.created_at,
        p.updated_at, 0 AS position, p.ctid AS stored_row, p.start_date AS stored_at, p.end_date AS stored_end,
        true AS was_version, p.recorded_at, p.load_id
    FROM {{keys}} JOIN warehouse.payments AS p USING (payment_id, company_code)
    UNION ALL
    SELECT p.payment_id, p.company_code, p.payment_at, p.status, p.amount, p.external_client_id, c.created_at,
        c.updated_at, 0, c.ctid, c.observed_at, NULL, false, c.recorded_at, c.load_id
    FROM {{keys}} JOIN warehouse.payment_confirmations AS c USING (payment_id, company_code)
    JOIN warehouse.payments AS p ON {COVERING}
"""
# `stored_at` is where the table has an observation now (NULL: it is fresh), in the row at `stored_row`; `observed_at`
# is where it belongs: its updated_at, and a microsecond after the one before it where that is not later. In closed
# form, with n the place in the order: n + max over the places m up to n of (updated_at - m).
TIMELINE = """
CREATE TEMPORARY TABLE timeline ON COMMIT DROP AS
WITH numbered AS (
    SELECT *, row_number() OVER in_order AS place,
        row_number() OVER in_order = 1
            OR payment_at IS DISTINCT FROM lag(payment_at) OVER in_order
            OR status <> lag(status) OVER in_order
            OR amount <> lag(amount) OVER in_order
            OR external_client_id <> lag(external_client_id) OVER in_order AS is_version,
        max(updated_at) FILTER (WHERE stored_at IS NOT NULL) OVER of_key AS newest_known
    FROM ({observations}) AS observations
    WINDOW of_key AS (PARTITION BY payment_id, company_code),
        in_order AS (of_key ORDER BY updated_at, stored_at NULLS LAST, position)
), placed AS (
    SELECT *, place * interval '1 microsecond' + max(updated_at - place * interval '1 microsecond') OVER (
        PARTITION BY payment_id, company_code ORDER BY updated_at, stored_at NULLS LAST, position
        ROWS UNBOUNDED PRECEDING
    ) AS observed_at
    FROM numbered
)
SELECT *, lead(observed_at) OVER (
    PARTITION BY payment_id, company_code, is_version ORDER BY observed_at
) AS next_at
FROM placed
"""
# A row of the table stays where it is only as what it is, at the same moment.
STAYS_VERSION = "t.was_version AND t.is_version AND t.stored_at = t.observed_at"
STAYS_CONFIRMATION = (
    "t.stored_at IS NOT NULL AND NOT t.was_version AND NOT t.is_version AND t.stored_at = t.observed_at"
)
# Under the lock no row has moved since the timeline was laid out. The moment is but a second look.
REMOVE_VERSIONS = f"""
DELETE FROM warehouse.payments AS p USING timeline AS t
WHERE p.ctid = t.stored_row AND p.start_date = t.stored_at AND t.was_version AND NOT ({STAYS_VERSION})
"""
CLOSE_VERSIONS = f"""
UPDATE warehouse.payments AS p SET end_date = t.next_at, is_current = t.next_at IS NULL
FROM timeline AS t
WHERE p.ctid = t.stored_row AND p.start_date = t.stored_at
    AND {STAYS_VERSION} AND t.stored_end IS DISTINCT FROM t.next_at
"""
ADD_VERSIONS = f"""
INSERT INTO warehouse.payments (payment_id, company_code, payment_at, status, amount, external_client_id, created_at,
    updated_at, start_date, end_date, is_current, recorded_at, load_id)
SELECT payment_id, company_code, payment_at, status, amount, external_client_id, created_at, updated_at, observed_at,
    next_at, next_at IS NULL, coalesce(recorded_at, CAST(:recorded_at AS timestamptz)),
    coalesce(load_id, CAST(:load_id AS text))
FROM timeline AS t
WHERE t.is_version AND NOT ({STAYS_VERSION})
"""
REMOVE_CONFIRMATIONS = f"""
DELETE FROM warehouse.payment_confirmations AS c USING timeline AS t
WHERE c.ctid = t.stored_row AND c.observed_at = t.stored_at AND NOT t.was_version AND NOT ({STAYS_CONFIRMATION})
"""
ADD_CONFIRMATIONS = f"""
INSERT INTO warehouse.payment_confirmations (payment_id, company_code, observed_at, updated_at, created_at,
    recorded_at, load_id)
SELECT payment_id, company_code, observed_at, updated_at, created_at,
    coalesce(recorded_at, CAST(:recorded_at AS timestamptz)), coalesce(load_id, CAST(:load_id AS text))
FROM timeline AS t
WHERE NOT t.is_version AND NOT ({STAYS_CONFIRMATION})
"""
APPLY = (REMOVE_CONFIRMATIONS, REMOVE_VERSIONS, CLOSE_VERSIONS)
ADD = (ADD_VERSIONS, ADD_CONFIRMATIONS)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What observations that are new to the history are marked with: which load told us, and when."""

    load_id: str
    recorded_at: datetime


async def apply_timeline(connection: AsyncConnection, stamp: Stamp) -> None:
    """Makes the history what the table `timeline` says; what stood in it keeps its own stamp."""
    await look_up(connection)
    for statement in APPLY:
        await connection.execute(text(statement))
    for statement in ADD:
        await connection.execute(text(statement), asdict(stamp))
