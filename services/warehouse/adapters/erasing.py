"""A client out of the history: the table becomes what it would be had the client's observations never been made.

Keys that were the client's alone go whole. Where a payment was another client's too, the timeline of what is left is
laid out anew, by the rule of payments_merge; what is left keeps the load and the time that it was learned by.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.payments_fresh import COVERING
from services.warehouse.domain.erasure import Erased, ErasureRequest

TOUCHED = """
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
WITH erased AS MATERIALIZED (
    SELECT external_client_id FROM (SELECT DISTINCT external_client_id FROM warehouse.payments) AS clients
    WHERE sha256(CAST(:salt AS bytea) || convert_to(external_client_id, 'UTF8')) = CAST(:client_digest AS bytea)
)
SELECT DISTINCT payment_id, company_code, external_client_id AS erased_client_id
FROM warehouse.payments JOIN erased USING (external_client_id)
"""
OBSERVATIONS = f"""
CREATE TEMPORARY TABLE observations ON COMMIT DROP AS
WITH observed AS (
    SELECT p.payment_id, p.company_code, p.payment_at, p.status, p.amount, p.external_client_id, p.created_at,
        p.updated_at, p.start_date AS stored_at, true AS was_version, p.recorded_at, p.load_id, t.erased_client_id
    FROM touched AS t JOIN warehouse.payments AS p USING (payment_id, company_code)
    UNION ALL
    SELECT p.payment_id, p.company_code, p.payment_at, p.status, p.amount, p.external_client_id, c.created_at,
        c.updated_at, c.observed_at, false, c.recorded_at, c.load_id, t.erased_client_id
    FROM touched AS t JOIN warehouse.payment_confirmations AS c USING (payment_id, company_code)
    JOIN warehouse.payments AS p ON {COVERING}
)
SELECT *, external_client_id = erased_client_id
    AND least(created_at, updated_at) <= CAST(:created_until AS timestamptz) AS is_erased
FROM observed
"""
COUNTS = """
SELECT count(*) FILTER (WHERE was_version) AS versions, count(*) FILTER (WHERE NOT was_version) AS confirmations
FROM observations WHERE is_erased
"""
REMOVE = [
    f"DELETE FROM warehouse.{table} AS o USING touched AS t "
    "WHERE o.payment_id = t.payment_id AND o.company_code = t.company_code"
    for table in ("payments", "payment_confirmations")
]
TIMELINE = """
CREATE TEMPORARY TABLE timeline ON COMMIT DROP AS
WITH numbered AS (
    SELECT *, row_number() OVER in_order AS place,
        row_number() OVER in_order = 1
            OR payment_at IS DISTINCT FROM lag(payment_at) OVER in_order
            OR status <> lag(status) OVER in_order
            OR amount <> lag(amount) OVER in_order
            OR external_client_id <> lag(external_client_id) OVER in_order AS is_version
    FROM observations WHERE NOT is_erased
    WINDOW in_order AS (PARTITION BY payment_id, company_code ORDER BY updated_at, stored_at)
), placed AS (
    SELECT *, place * interval '1 microsecond' + max(updated_at - place * interval '1 microsecond') OVER (
        PARTITION BY payment_id, company_code ORDER BY updated_at, stored_at ROWS UNBOUNDED PRECEDING
    ) AS observed_at
    FROM numbered
)
SELECT *, lead(observed_at) OVER (
    PARTITION BY payment_id, company_code, is_version ORDER BY observed_at
) AS next_at
FROM placed
"""
ADD = (
    """
    INSERT INTO warehouse.payments (payment_id, company_code, payment_at, status, amount, external_client_id,
        created_at, updated_at, start_date, end_date, is_current, recorded_at, load_id)
    SELECT payment_id, company_code, payment_at, status, amount, external_client_id, created_at, updated_at,
        observed_at, next_at, next_at IS NULL, recorded_at, load_id
    FROM timeline WHERE is_version
    """,
    """
    INSERT INTO warehouse.payment_confirmations (payment_id, company_code, observed_at, updated_at, created_at,
        recorded_at, load_id)
    SELECT payment_id, company_code, observed_at, updated_at, created_at, recorded_at, load_id
    FROM timeline WHERE NOT is_version
    """,
)
# A repetition, after a crash of the caller, finds nothing left: the figures of the first time stay.
RECORD = """
INSERT INTO warehouse.erasures AS e (erasure_id, versions, confirmations, erased_at)
VALUES (:erasure_id, :versions, :confirmations, :erased_at)
ON CONFLICT (erasure_id) DO UPDATE SET versions = e.versions + excluded.versions,
    confirmations = e.confirmations + excluded.confirmations, erased_at = excluded.erased_at
RETURNING versions, confirmations, erased_at
"""


async def erase_client(connection: AsyncConnection, request: ErasureRequest, erased_at: datetime) -> Erased:
    """Removes the client's observations, and enters how many there were."""
    client = {"salt": request.salt, "client_digest": request.client_digest}
    await connection.execute(text(TOUCHED), client)
    await connection.execute(text("ANALYZE touched"))
    await connection.execute(text(OBSERVATIONS), {"created_until": request.created_until})
    counts = (await connection.execute(text(COUNTS))).one()
    for statement in (*REMOVE, TIMELINE, *ADD):
        await connection.execute(text(statement))
    removed = {"versions": counts.versions, "confirmations": counts.confirmations}
    values = {"erasure_id": request.erasure_id, "erased_at": erased_at, **removed}
    recorded = await connection.execute(text(RECORD), values)
    return Erased(*recorded.one())
