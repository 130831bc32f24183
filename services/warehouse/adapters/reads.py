"""The warehouse's answers in SQL. Each is one statement, or one snapshot, bounded in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.runtime.errors import FailedPrecondition
from services.warehouse.adapters import ledger, missing_payments
from services.warehouse.adapters.failures import statement_errors
from services.warehouse.domain.history import (
    ClientPaymentsPlace,
    CompanyVersion,
    PaymentVersion,
    Statistics,
    TrainingSummary,
)
from services.warehouse.domain.loads import Dataset, Load
from services.warehouse.domain.reconciliation import MissingPayment, MissingReport, Start
from services.warehouse.migrations.history import is_enough

REVISION = "SELECT version_num FROM warehouse.schema_version"
PAYMENT = """payment_id, company_code, payment_at, status, amount, external_client_id, created_at, start_date, end_date,
    recorded_at, load_id"""
COMPANY = """company_code, company_id, company_name, category_id, category_name, is_top_biller, is_retired, start_date,
    end_date, recorded_at, load_id"""
PAYMENT_HISTORY = f"""
SELECT {PAYMENT} FROM warehouse.payments
WHERE payment_id = :payment_id AND company_code = :company_code ORDER BY start_date
"""
CLIENT_PAYMENTS = f"""
SELECT {PAYMENT} FROM warehouse.payments
WHERE external_client_id = :client_id AND start_date <= :as_of AND (end_date IS NULL OR end_date > :as_of)
"""
# Payments without a time come last: they count as the earliest of all.
PAYMENT_TIME = "coalesce({}, '-infinity'::timestamptz)"
AFTER_PAYMENT = f"""
    AND ({PAYMENT_TIME.format("payment_at")}, payment_id, company_code)
        < ({PAYMENT_TIME.format("CAST(:payment_at AS timestamptz)")}, :payment_id, :company_code)
"""
NEWEST_FIRST = f"ORDER BY {PAYMENT_TIME.format('payment_at')} DESC, payment_id DESC, company_code DESC LIMIT :limit"
COMPANIES = f"""
SELECT {COMPANY} FROM warehouse.companies
WHERE is_current AND company_code > :after AND (:include_retired OR NOT is_retired)
    AND (:matching = '' OR strpos(lower(company_code), lower(:matching)) > 0
        OR strpos(lower(coalesce(company_name, '')), lower(:matching)) > 0)
ORDER BY company_code LIMIT :limit
"""
COMPANY_HISTORY = f"SELECT {COMPANY} FROM warehouse.companies WHERE company_code = :company_code ORDER BY start_date"
STATISTICS = """
SELECT p.*, c.* FROM (
    SELECT count(*) FILTER (WHERE is_current) AS current_payments, count(*) AS payment_versions,
        count(DISTINCT external_client_id) FILTER (WHERE is_current) AS clients
    FROM warehouse.payments
) AS p, (
    SELECT count(*) FILTER (WHERE is_current AND NOT is_retired) AS current_companies,
        count(*) FILTER (WHERE is_current AND is_retired) AS retired_companies, count(*) AS company_versions
    FROM warehouse.companies
) AS c
"""
TRAINING_SUMMARY = """
SELECT count(*) AS payments, count(DISTINCT external_client_id) AS clients, count(DISTINCT company_code) AS companies,
    min(payment_at) AS first_payment_at, max(payment_at) AS last_payment_at
FROM warehouse.training_payments
WHERE status = ANY(:statuses) AND created_at >= coalesce(CAST(:created_since AS timestamptz), '-infinity')
"""


class PostgresReads:
    """Answers from what is committed."""

    def __init__(self, engine: AsyncEngine, revision: str, timeout: timedelta) -> None:
        self._engine = engine
        self._revision = revision
        self._timeout = timeout

    async def require_schema(self) -> None:
        """See Reads."""
        async with self._connection() as connection:
            revision = (await connection.execute(text(REVISION))).scalar_one_or_none()
        if not is_enough(revision, self._revision):
            raise FailedPrecondition(
                f"the database is at revision {revision}, this code needs {self._revision}; "
                "run python -m services.warehouse.migrate",
                reason="SCHEMA_NOT_MIGRATED",
            )

    async def load(self, load_id: str) -> Load | None:
        """See Reads."""
        async with self._connection() as connection:
            return await ledger.find_load(connection, load_id)

    async def watermarks(self) -> dict[Dataset, datetime]:
        """See Reads."""
        async with self._connection() as connection:
            return await ledger.watermarks(connection)

    async def payment_history(self, payment_id: str, company_code: str) -> list[PaymentVersion]:
        """See Reads."""
        rows = await self._rows(PAYMENT_HISTORY, payment_id=payment_id, company_code=company_code)
        return [PaymentVersion(**row) for row in rows]

    async def client_payments(
        self, client_id: str, as_of: datetime, after: ClientPaymentsPlace | None, limit: int
    ) -> list[PaymentVersion]:
        """See Reads."""
        values: dict[str, Any] = {"client_id": client_id, "as_of": as_of, "limit": limit}
        if after:
            place = {"payment_at": after.payment_at, "payment_id": after.payment_id, "company_code": after.company_code}
            rows = await self._rows(CLIENT_PAYMENTS + AFTER_PAYMENT + NEWEST_FIRST, **values, **place)
        else:
            rows = await self._rows(CLIENT_PAYMENTS + NEWEST_FIRST, **values)
        return [PaymentVersion(**row) for row in rows]

    async def companies(self, after: str, limit: int, *, include_retired: bool, matching: str) -> list[CompanyVersion]:
        """See Reads."""
        wanted = {"include_retired": include_retired, "matching": matching}
        rows = await self._rows(COMPANIES, after=after, limit=limit, **wanted)
        return [CompanyVersion(**row) for row in rows]

    async def company_history(self, company_code: str) -> list[CompanyVersion]:
        """See Reads."""
        return [CompanyVersion(**row) for row in await self._rows(COMPANY_HISTORY, company_code=company_code)]

    async def statistics(self) -> Statistics:
        """See Reads."""
        (row,) = await self._rows(STATISTICS)
        return Statistics(**row)

    async def training_summary(self, created_since: datetime | None, statuses: tuple[str, ...]) -> TrainingSummary:
        """See Reads."""
        (row,) = await self._rows(TRAINING_SUMMARY, created_since=created_since, statuses=list(statuses))
        return TrainingSummary(**row)

    async def reconciliation_start(self) -> Start:
        """See ReportReads."""
        (row,) = await self._rows(missing_payments.START)
        return Start(**row)

    async def missing_report(self, load_id: str) -> MissingReport | None:
        """See ReportReads."""
        async with self._connection() as connection:
            return await missing_payments.find_report(connection, load_id)

    async def missing_payments(self, load_id: str, after: tuple[str, str], limit: int) -> list[MissingPayment]:
        """See ReportReads."""
        place = {"payment_id": after[0], "company_code": after[1]}
        rows = await self._rows(missing_payments.PAGE, load_id=load_id, limit=limit, **place)
        return [MissingPayment(**row) for row in rows]

    async def _rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self._connection() as connection:
            return [dict(row) for row in (await connection.execute(text(statement), values)).mappings()]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        async with (
            statement_errors(),
            asyncio.timeout(self._timeout.total_seconds()),
            self._engine.connect() as connection,
        ):
            yield connection
