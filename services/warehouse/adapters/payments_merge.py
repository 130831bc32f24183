"""Payments into their history, as a function of everything ever observed of a key.

Only keys with an observation not seen before are touched. For each, the timeline of all its observations is laid out
anew - those of the table, then those of the load - and the difference to what stands is applied. An observation that
repeats the attributes before it is a confirmation, no version; it is kept, for a late row between the two makes it one.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.joins import Joins, look_up
from services.warehouse.adapters.sieve import PASSES, Sieve
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
# No operator that an index or a hash could serve: rows are found by key and time alone, whatever clients repeat.
SAME_ATTRIBUTES = """
    (p.payment_at, p.status, p.amount, p.external_client_id)
        IS NOT DISTINCT FROM (i.payment_at, i.status, i.amount, i.external_client_id)
"""
# The covering version lends a confirmation its attributes.
COVERING = """
    p.payment_id = c.payment_id AND p.company_code = c.company_code
    AND p.start_date <= c.observed_at AND (p.end_date IS NULL OR p.end_date > c.observed_at)
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
# `stored_at` is where the table has an observation now (NULL: it is fresh), in the row at `stored_row`; `observed_at`
# is where it belongs: its updated_at, and a microsecond after the one before it where that is not later. In closed
# form, with n the place in the order: n + max over the places m up to n of (updated_at - m).
TIMELINE = f"""
CREATE TEMPORARY TABLE timeline ON COMMIT DROP AS
WITH affected AS MATERIALIZED (
    SELECT DISTINCT payment_id, company_code FROM fresh
), observations AS (
    SELECT payment_id, company_code, payment_at, status, amount, external_client_id, created_at, updated_at, position,
        NULL::tid AS stored_row, NULL::timestamptz AS stored_at, NULL::timestamptz AS stored_end, false AS was_version,
        NULL::timestamptz AS recorded_at, NULL::text AS load_id
    FROM fresh
    UNION ALL
    SELECT p.payment_id, p.company_code, p.payment_at, p.status, p.amount, p.external_client_id, p.created_at,
        p.updated_at, 0, p.ctid, p.start_date, p.end_date, true, p.recorded_at, p.load_id
    FROM affected JOIN warehouse.payments AS p USING (payment_id, company_code)
    UNION ALL
    SELECT p.payment_id, p.company_code, p.payment_at, p.status, p.amount, p.external_client_id, c.created_at,
        c.updated_at, 0, c.ctid, c.observed_at, NULL, false, c.recorded_at, c.load_id
    FROM affected JOIN warehouse.payment_confirmations AS c USING (payment_id, company_code)
    JOIN warehouse.payments AS p ON {COVERING}
), numbered AS (
    SELECT *, row_number() OVER in_order AS place,
        row_number() OVER in_order = 1
            OR payment_at IS DISTINCT FROM lag(payment_at) OVER in_order
            OR status <> lag(status) OVER in_order
            OR amount <> lag(amount) OVER in_order
            OR external_client_id <> lag(external_client_id) OVER in_order AS is_version,
        max(updated_at) FILTER (WHERE stored_at IS NOT NULL) OVER of_key AS newest_known
    FROM observations
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
    """What the new versions and confirmations of a load are marked with: who told us, and when."""

    load_id: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Staged:
    """The rows of the table `incoming`: how many, and a sieve that has seen them all."""

    rows: int
    sieve: Sieve


async def merge_payments(connection: AsyncConnection, staged: Staged, stamp: Stamp, joins: Joins) -> LoadCounts:
    """Merges the staged rows; what became of them."""
    fresh = await _find_fresh(connection, staged, joins)
    if fresh == 0:
        return LoadCounts(new=0, changed=0, unchanged=staged.rows)
    await joins.choose(connection, "fresh", fresh, joins.history)
    await connection.execute(text(TIMELINE))
    counts = (await connection.execute(text(COUNTS))).one()
    await _apply(connection, stamp)
    known = counts.new_count + counts.changed_count + counts.late_count
    return LoadCounts(
        new=counts.new_count,
        changed=counts.changed_count,
        unchanged=staged.rows - known,
        late=counts.late_count,
    )


async def _find_fresh(connection: AsyncConnection, staged: Staged, joins: Joins) -> int:
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


async def _apply(connection: AsyncConnection, stamp: Stamp) -> None:
    await look_up(connection)
    for statement in APPLY:
        await connection.execute(text(statement))
    for statement in ADD:
        await connection.execute(text(statement), asdict(stamp))
