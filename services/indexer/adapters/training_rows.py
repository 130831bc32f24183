"""Training rows from the warehouse's published views, streamed into compact arrays."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.contracts.bundle import client_key
from services.indexer.domain.payments import Payments
from services.indexer.domain.training import Selection, TrainingSet
from services.runtime.database import database_errors, sqlstate
from services.runtime.errors import FailedPrecondition

BATCH_ROWS = 2_000
READ_TIMEOUT = timedelta(minutes=30)
# undefined table, undefined schema, insufficient privilege
UNMIGRATED = {"42P01", "3F000", "42501"}

WATERMARK = "SELECT value FROM warehouse.published_watermark WHERE dataset = 'payments'"
CATALOGUE = """
SELECT company_id, company_code, company_name, category_id, category_name, is_top_biller
FROM warehouse.training_companies WHERE NOT is_retired
"""
CATALOGUE_TYPES = {"company_id": "int64", "category_id": "Int64", "is_top_biller": "boolean"}
# Numbers are cheaper to carry than datetimes and decimals; both conversions are exact.
PAYMENTS = """
SELECT external_client_id, company_code, (extract(epoch FROM payment_at) * 1000000)::bigint, (amount * 100)::bigint
FROM warehouse.training_payments
WHERE status = ANY(:statuses) AND (CAST(:since AS timestamptz) IS NULL OR created_at >= :since)
"""
NEWEST_ONLY = "ORDER BY payment_at DESC, payment_id, company_code LIMIT :limit"
REPEATABLE_READ = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class WarehouseRows:
    """See TrainingRows. Rows, catalogue and watermark are of one snapshot of the database."""

    def __init__(self, engine: AsyncEngine, selection: Selection) -> None:
        self._engine = engine
        self._selection = selection

    async def read(self) -> TrainingSet:
        """See TrainingRows."""
        try:
            async with (
                database_errors(),
                asyncio.timeout(READ_TIMEOUT.total_seconds()),
                self._engine.connect() as connection,
            ):
                return await self._read(await connection.execution_options(**REPEATABLE_READ))
        except ProgrammingError as error:
            if sqlstate(error) not in UNMIGRATED:
                raise
            raise FailedPrecondition(
                "the warehouse's views are missing or not granted to us; run python -m services.warehouse.migrate, and "
                "make the indexer's database user a member of afin_indexer",
                reason="WAREHOUSE_NOT_MIGRATED",
            ) from error

    async def _read(self, connection: AsyncConnection) -> TrainingSet:
        watermark: datetime | None = await connection.scalar(text(WATERMARK))
        companies = (await connection.execute(text(CATALOGUE))).all()
        catalogue = await asyncio.to_thread(_catalogue, companies)
        columns = PaymentColumns(catalogue["company_code"].tolist())
        query = PAYMENTS + (NEWEST_ONLY if self._selection.limit else "")
        parameters: dict[str, Any] = {
            "statuses": list(self._selection.statuses),
            "since": self._selection.created_since,
        }
        if self._selection.limit:
            parameters["limit"] = self._selection.limit
        async with connection.stream(text(query), parameters, execution_options={"yield_per": BATCH_ROWS}) as result:
            async for rows in result.partitions():
                columns.add(rows)
        _require_rows(columns, catalogue)
        payments, keys = await asyncio.to_thread(columns.finished)
        return TrainingSet(payments, keys, catalogue, watermark, columns.left_out)


class PaymentColumns:
    """Rows become columns of small integers batch by batch; only the distinct client ids are kept as text."""

    def __init__(self, company_codes: Sequence[str]) -> None:
        self._companies = {code: number for number, code in enumerate(company_codes)}
        self._clients: dict[str, int] = {}
        self._parts: list[NDArray[np.int64]] = []
        self.rows = 0
        self.left_out = 0

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Takes rows of client id, company code, microseconds and cents; those of unknown companies are left out."""
        known = [row for row in rows if row[1] in self._companies]
        self.rows += len(known)
        self.left_out += len(rows) - len(known)
        clients, companies = self._clients, self._companies
        coded = [(clients.setdefault(row[0], len(clients)), companies[row[1]], row[2], row[3]) for row in known]
        self._parts.append(np.array(coded, dtype=np.int64).reshape(-1, 4))

    def finished(self) -> tuple[Payments, NDArray[np.uint64]]:
        """Payments in order, and the clients' keys; both the same in whatever order the rows came."""
        keys = np.array([client_key(client) for client in self._clients], dtype=np.uint64).reshape(-1, 2)
        order = np.lexsort((keys[:, 1], keys[:, 0]))
        number = np.empty(len(order), dtype=np.int32)
        number[order] = np.arange(len(order), dtype=np.int32)
        client, company, at, cents = np.concatenate(self._parts).T
        payments = Payments(number[client], company.astype(np.int32), at, cents, len(keys), len(self._companies))
        return payments.in_order(), keys[order]


def _catalogue(rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    columns = ["company_id", "company_code", "company_name", "category_id", "category_name", "is_top_biller"]
    frame = pd.DataFrame([tuple(row) for row in rows], columns=columns).astype(CATALOGUE_TYPES)
    return frame.sort_values("company_code", kind="stable", ignore_index=True)


def _require_rows(columns: PaymentColumns, catalogue: pd.DataFrame) -> None:
    if columns.rows:
        return
    if columns.left_out:
        known = (
            f"the {len(catalogue)} companies of the catalogue" if len(catalogue) else "the catalogue, which is empty"
        )
        raise FailedPrecondition(
            f"no training payment is to one of {known}; run the pipeline companies first", reason="NO_COMPANIES"
        )
    raise FailedPrecondition(
        "the warehouse holds no training payments; run the pipelines companies and recommendations first, or widen "
        "INDEXER_STATUSES and INDEXER_CREATED_SINCE",
        reason="NO_TRAINING_PAYMENTS",
    )
