"""A client out of the history: the table becomes what it would be had the client's observations never been made.

Keys that were the client's alone go whole. Where a payment was another client's too, the timeline of what is left is
laid out anew, by the rule of payments_timeline; what is left keeps the load and the time that it was learned by.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.payments_timeline import STORED, TIMELINE, Stamp, apply_timeline
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
SELECT stored.*, external_client_id = erased_client_id
    AND least(created_at, updated_at) <= CAST(:created_until AS timestamptz) AS is_erased
FROM ({STORED.format(keys="touched")}) AS stored JOIN touched USING (payment_id, company_code)
"""
COUNTS = """
SELECT count(*) FILTER (WHERE was_version) AS versions, count(*) FILTER (WHERE NOT was_version) AS confirmations
FROM observations WHERE is_erased
"""
REMOVE = (
    """
    DELETE FROM warehouse.payments AS p USING observations AS o
    WHERE p.ctid = o.stored_row AND o.was_version AND o.is_erased
    """,
    """
    DELETE FROM warehouse.payment_confirmations AS c USING observations AS o
    WHERE c.ctid = o.stored_row AND NOT o.was_version AND o.is_erased
    """,
)
LEFT = "SELECT * FROM observations WHERE NOT is_erased"
# Whose payments are not what they were, for those who remember them; the erased client is not to be remembered.
FORGET = """
DELETE FROM warehouse.erasure_changes AS c USING touched AS t WHERE c.external_client_id = t.erased_client_id
"""
NOTE_CHANGED = f"""
INSERT INTO warehouse.erasure_changes (erasure_id, external_client_id)
SELECT DISTINCT CAST(:erasure_id AS text), external_client_id FROM ({LEFT}) AS remaining
ON CONFLICT DO NOTHING
"""
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
    for statement in (*REMOVE, TIMELINE.format(observations=LEFT)):
        await connection.execute(text(statement))
    await apply_timeline(connection, Stamp(request.erasure_id, erased_at))
    await connection.execute(text(FORGET))
    await connection.execute(text(NOTE_CHANGED), {"erasure_id": request.erasure_id})
    removed = {"versions": counts.versions, "confirmations": counts.confirmations}
    values = {"erasure_id": request.erasure_id, "erased_at": erased_at, **removed}
    recorded = (await connection.execute(text(RECORD), values)).mappings().one()
    return Erased(**recorded, by_this_call=sum(removed.values()))
