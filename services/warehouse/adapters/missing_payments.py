"""The comparison of a pass with what stands, in SQL; and the reports, as rows."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, time

import pyarrow as pa
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.pass_keys import KEY_SCHEMA
from services.warehouse.adapters.staging import copy_rows
from services.warehouse.domain.reconciliation import Comparison, MissingReport

STAGING = """
CREATE TEMPORARY TABLE incoming (
    payment_id text COLLATE "C" NOT NULL,
    company_code text COLLATE "C" NOT NULL
) ON COMMIT DROP
"""
SINCE_BEGUN = "SELECT load_id FROM warehouse.loads WHERE sequence > :begun_sequence"
MISSING = f"""
CREATE TEMPORARY TABLE missing ON COMMIT DROP AS
SELECT p.payment_id, p.company_code, p.updated_at FROM warehouse.payments AS p
WHERE p.is_current AND p.updated_at >= :observed_since
    AND NOT EXISTS (
        SELECT FROM incoming AS i WHERE i.payment_id = p.payment_id AND i.company_code = p.company_code
    ) AND NOT EXISTS (
        SELECT FROM warehouse.payments AS v
        WHERE v.payment_id = p.payment_id AND v.company_code = p.company_code AND v.load_id IN ({SINCE_BEGUN})
    ) AND NOT EXISTS (
        SELECT FROM warehouse.payment_confirmations AS c
        WHERE c.payment_id = p.payment_id AND c.company_code = p.company_code AND c.load_id IN ({SINCE_BEGUN})
    )
"""
COUNTS = """
SELECT (SELECT count(*) FROM warehouse.payments WHERE is_current AND updated_at >= :observed_since) AS compared,
    (SELECT count(*) FROM missing) AS missing
"""
FORGET = "DELETE FROM warehouse.reconciliations WHERE reported_at < CAST(:now AS timestamptz) - interval '1 year'"
RECORD = """
INSERT INTO warehouse.reconciliations
    (load_id, begun_sequence, compared_count, missing_count, listed_count, reported_at)
VALUES (:load_id, :begun_sequence, :compared, :missing, :listed, :now)
"""
LIST = """
INSERT INTO warehouse.missing_payments (load_id, payment_id, company_code, updated_at)
SELECT :load_id, payment_id, company_code, updated_at FROM missing ORDER BY payment_id, company_code LIMIT :listed
"""
FIND = """
SELECT load_id, begun_sequence, compared_count, missing_count, listed_count, reported_at
FROM warehouse.reconciliations WHERE load_id = :load_id
"""
PAGE = """
SELECT payment_id, company_code, updated_at FROM warehouse.missing_payments
WHERE load_id = :load_id AND (payment_id, company_code) > (:payment_id, :company_code)
ORDER BY payment_id, company_code LIMIT :limit
"""
START = """
SELECT (SELECT min(updated_at) FROM warehouse.payments) AS first_updated_at,
    (SELECT coalesce(max(sequence), 0) FROM warehouse.loads) AS sequence
"""


async def find_report(connection: AsyncConnection, load_id: str) -> MissingReport | None:
    """The report on the pass of a load."""
    row = (await connection.execute(text(FIND), {"load_id": load_id})).mappings().one_or_none()
    return report_of(row) if row else None


async def report_missing(
    connection: AsyncConnection,
    asked: Comparison,
    first_day: date,
    keys: AsyncGenerator[pa.RecordBatch, None],
    now: datetime,
) -> MissingReport:
    """Compares current payments updated since a day with the keys of a pass, and enters what is missing."""
    await connection.execute(text(STAGING))
    await copy_rows(connection, KEY_SCHEMA, keys)
    await connection.execute(text("ANALYZE incoming"))
    observed_since = datetime.combine(first_day, time(), UTC)
    window = {"observed_since": observed_since, "begun_sequence": asked.begun_sequence}
    await connection.execute(text(MISSING), window)
    counts = (await connection.execute(text(COUNTS), {"observed_since": observed_since})).one()
    listed = min(counts.missing, asked.most_listed)
    report = MissingReport(asked.load_id, asked.begun_sequence, counts.compared, counts.missing, listed, now)
    await _record(connection, report)
    return report


async def _record(connection: AsyncConnection, report: MissingReport) -> None:
    await connection.execute(text(FORGET), {"now": report.reported_at})
    values = {
        "load_id": report.load_id,
        "begun_sequence": report.begun_sequence,
        "compared": report.compared,
        "missing": report.missing,
        "listed": report.listed,
        "now": report.reported_at,
    }
    await connection.execute(text(RECORD), values)
    await connection.execute(text(LIST), {"load_id": report.load_id, "listed": report.listed})


def report_of(row: RowMapping) -> MissingReport:
    """A row of `reconciliations` as a report."""
    return MissingReport(
        load_id=row["load_id"],
        begun_sequence=row["begun_sequence"],
        compared=row["compared_count"],
        missing=row["missing_count"],
        listed=row["listed_count"],
        reported_at=row["reported_at"],
    )
