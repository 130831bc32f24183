"""Which payments of a load say something that the warehouse does not know yet: nine of ten say nothing new."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.joins import Joins
from services.warehouse.adapters.payments_timeline import COVERING
from services.warehouse.adapters.sieve import PASSES, Sieve

# No operator that an index or a hash could serve: rows are found by key and time alone, whatever clients repeat.
SAME_ATTRIBUTES = """
    (p.payment_at, p.status, p.amount, p.external_client_id)
        IS NOT DISTINCT FROM (i.payment_at, i.status, i.amount, i.external_client_id)
"""
# Neighbours in the index are neighbours in the cache.
IN_ORDER = "(SELECT * FROM incoming ORDER BY payment_id, company_code)"
# What a scan may leave out: no version starts before its updated_at, and the sieve lets pass what the load names.
SURVEY = "SELECT min(updated_at) AS oldest, {is_sound} AS is_sound FROM incoming AS i"
SINCE_OLDEST = "AND p.start_date >= CAST(:oldest AS timestamptz)"
# Observations of the load, each once, that no version tells already. Materialised before anything is written: a plan
# that reads and fills one table by nested loop never ends on a first load.
FRESH = f"""
CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS
SELECT DISTINCT ON (payment_id, company_code, updated_at, payment_at, status, amount, external_client_id) i.*
FROM {{rows}} AS i
WHERE NOT EXISTS (
    SELECT FROM warehouse.payments AS p
    WHERE p.payment_id = i.payment_id AND p.company_code = i.company_code AND p.updated_at = i.updated_at
        AND {SAME_ATTRIBUTES} {{scanned}}
)
ORDER BY payment_id, company_code, updated_at, payment_at, status, amount, external_client_id, position
"""
# Nor any confirmation.
NOT_CONFIRMED = f"""
DELETE FROM fresh AS i USING warehouse.payment_confirmations AS c JOIN warehouse.payments AS p ON {COVERING}
WHERE c.payment_id = i.payment_id AND c.company_code = i.company_code AND c.updated_at = i.updated_at
    AND {SAME_ATTRIBUTES}
"""


@dataclass(frozen=True, slots=True)
class Staged:
    """The rows of the table `incoming`: how many, and a sieve that has seen them all."""

    rows: int
    sieve: Sieve


async def find_fresh(connection: AsyncConnection, staged: Staged, joins: Joins) -> int:
    """Makes the table `fresh`: rows of `incoming` that the warehouse does not know, each once; how many."""
    await joins.choose(connection, "incoming", staged.rows, joins.payments)
    if joins.by_index(staged.rows, joins.payments):
        found = await connection.execute(text(FRESH.format(rows=IN_ORDER, scanned="")))
    else:
        found = await _scan(connection, staged.sieve.to_bytes() if joins.can_sieve else None)
    await joins.choose(connection, "fresh", found.rowcount, joins.history)
    return found.rowcount - (await connection.execute(text(NOT_CONFIRMED))).rowcount


async def _scan(connection: AsyncConnection, marks: bytes | None) -> CursorResult[Any]:
    known = {"marks": marks} if marks else {}
    is_sound = f"bool_and({PASSES.format(row='i')})" if marks else "false"
    survey = (await connection.execute(text(SURVEY.format(is_sound=is_sound)), known)).one()
    if not survey.is_sound:
        known = {}
    scanned = f"{SINCE_OLDEST} AND {PASSES.format(row='p')}" if known else SINCE_OLDEST
    statement = text(FRESH.format(rows="incoming", scanned=scanned))
    return await connection.execute(statement, {"oldest": survey.oldest, **known})
