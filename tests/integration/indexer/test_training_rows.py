"""What is read of the warehouse, and as whom."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.indexer.adapters.training_rows import WarehouseRows
from services.indexer.domain.training import Selection
from services.runtime.database import open_database
from services.runtime.errors import FailedPrecondition, Unavailable
from tests.integration.indexer.warehouse_rows import (
    CLIENTS,
    FIRST_DAY,
    LISTED,
    PAYMENTS_EACH,
    WATERMARK,
    planted_payments,
)

PLANTED = CLIENTS * PAYMENTS_EACH


@pytest.fixture
async def engine(training_database: str) -> AsyncIterator[AsyncEngine]:
    async with open_database(training_database, "test") as opened:
        yield opened


async def test_paid_payments_to_listed_companies_are_read_with_the_watermark(engine: AsyncEngine) -> None:
    data = await WarehouseRows(engine, Selection()).read()

    assert len(data.payments) == PLANTED
    assert data.left_out == 9
    assert data.watermark == WATERMARK
    assert len(data.catalogue) == LISTED + 1
    assert data.catalogue["company_code"].is_monotonic_increasing
    assert len(data.client_keys) == CLIENTS


async def test_amounts_and_times_are_read_exactly(engine: AsyncEngine) -> None:
    planted = [payment for payment in planted_payments() if payment.status == "paid" and payment.at][:PLANTED]

    payments = (await WarehouseRows(engine, Selection()).read()).payments

    assert payments.cents.sum() == sum(payment.amount for payment in planted) * 100
    moments = {(payment.at - FIRST_DAY) // timedelta(microseconds=1) for payment in planted if payment.at}
    assert set((payments.at - int(FIRST_DAY.timestamp()) * 10**6).tolist()) == moments


async def test_other_statuses_are_read_when_they_are_asked_for(engine: AsyncEngine) -> None:
    data = await WarehouseRows(engine, Selection(statuses=("paid", "refunded", "failed"))).read()

    assert len(data.payments) == PLANTED + 2


async def test_payments_created_before_a_moment_are_left_out(engine: AsyncEngine) -> None:
    moments = sorted(payment.at for payment in planted_payments() if payment.at and payment.status == "paid")
    since = moments[-100]

    data = await WarehouseRows(engine, Selection(created_since=since)).read()

    assert len(data.payments) == 100


async def test_with_a_limit_the_newest_payments_are_read(engine: AsyncEngine) -> None:
    newest = sorted(payment.at for payment in planted_payments() if payment.at)[-10]

    payments = (await WarehouseRows(engine, Selection(limit=10)).read()).payments

    assert len(payments) == 10
    assert payments.first == round(newest.timestamp() * 10**6)


async def test_a_member_of_the_indexers_role_can_read_and_nobody_else(
    postgres_url: str, training_database: str
) -> None:
    role = f"reader_{uuid.uuid4().hex}"
    as_reader = training_database.replace("postgres:", f"{role}:", 1)
    owner = await asyncpg.connect(training_database)
    await owner.execute(f"CREATE ROLE {role} LOGIN")
    try:
        async with open_database(as_reader, "test") as engine:
            with pytest.raises(FailedPrecondition, match="afin_indexer"):
                await WarehouseRows(engine, Selection()).read()
            await owner.execute(f"GRANT afin_indexer TO {role}")
            data = await WarehouseRows(engine, Selection()).read()
    finally:
        await owner.execute(f"DROP ROLE {role}")
        await owner.close()

    assert len(data.payments) == PLANTED


async def test_a_database_that_does_not_answer_is_unavailable() -> None:
    async with open_database("postgresql://u@127.0.0.1:1/d", "test") as engine:
        with pytest.raises(Unavailable):
            await WarehouseRows(engine, Selection()).read()
