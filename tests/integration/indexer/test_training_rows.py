"""What is read of the warehouse, and as whom."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.bundle import LedgerPlace
from services.contracts.client_keys import client_key
from services.indexer.adapters.training_files import read_training_set
from services.indexer.adapters.training_rows import WarehouseRows
from services.indexer.domain.training import RowsRead, Selection, Task, TrainingSet
from services.runtime.database import open_database
from services.runtime.errors import FailedPrecondition, Unavailable
from tests.integration.indexer.warehouse_rows import (
    CLIENTS,
    FIRST_DAY,
    LISTED,
    LOAD,
    PAYMENTS_EACH,
    WATERMARK,
    Company,
    Payment,
    insert_rows,
    planted_companies,
    planted_payments,
)

PLANTED = CLIENTS * PAYMENTS_EACH
BEHIND = LedgerPlace(sequence=1, load_id=LOAD, committed_at=WATERMARK)


@pytest.fixture
async def engine(training_database: str) -> AsyncIterator[AsyncEngine]:
    async with open_database(training_database, "test") as opened:
        yield opened


async def read(engine: AsyncEngine, folder: Path, selection: Selection | None = None) -> RowsRead:
    return await WarehouseRows(engine, selection or Selection()).read(folder)


def training_set(folder: Path) -> TrainingSet:
    task = Task(
        code_version="", watermark=None, dimension=1, min_clients=1, seed=0, trees=1, list_scores=0, parameters={}
    )
    return read_training_set(folder, task)


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_paid_payments_to_listed_companies_are_read_with_the_watermark(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    assert await read(engine, tmp_path) == RowsRead(PLANTED, 9, LISTED + 1, WATERMARK, (), BEHIND)
    data = training_set(tmp_path)

    assert len(data.payments) == PLANTED
    assert data.catalogue["company_code"].tolist() == sorted(company.code for company in planted_companies()[:-1])
    planted = {
        payment.client for payment in planted_payments() if payment.company in set(data.catalogue["company_code"])
    }
    keys = sorted(client_key(client) for client in planted - {"client-who-never-paid"})
    assert data.client_keys.tolist() == [list(key) for key in keys]
    assert len(keys) == CLIENTS


async def test_each_payment_is_read_with_its_client_and_company(engine: AsyncEngine, tmp_path: Path) -> None:
    await read(engine, tmp_path)
    data = training_set(tmp_path)

    codes = data.catalogue["company_code"].tolist()
    found = {
        (tuple(data.client_keys[client].tolist()), codes[company])
        for client, company in zip(data.payments.client, data.payments.company, strict=True)
    }
    planted = {
        (client_key(p.client), p.company)
        for p in planted_payments()
        if p.status == "paid" and p.at and p.company in codes
    }
    assert found == planted


async def test_no_client_id_is_written(engine: AsyncEngine, tmp_path: Path) -> None:
    await read(engine, tmp_path)

    assert b"client-" not in all_bytes(tmp_path)


async def test_ids_of_any_kind_are_told_apart(empty_database: str, tmp_path: Path) -> None:
    numbers = [2**63 - 1, 2**53 + 1, 2**53, 2**31, 2**31 - 1, 10**9, 1, 0, -1, -(2**63)]
    companies = [Company(f"Ñ {number}", number) for number in numbers]
    clients = ["", " ", "a", "A", "Zoë", "Zoe\u0308", "客户", "\U0001f600", "0", "00", "x" * 10_000, "'; --\n\t\x01"]
    payments = [Payment(client, company.code, FIRST_DAY) for client in clients for company in companies]
    await insert_rows(empty_database, payments, companies)

    async with open_database(empty_database, "test") as engine:
        told = await read(engine, tmp_path)

    data = training_set(tmp_path)
    assert (told.payments, told.left_out, told.companies) == (len(payments), 0, len(numbers))
    assert {tuple(key) for key in data.client_keys.tolist()} == set(map(client_key, clients))
    assert sorted(data.catalogue["company_id"].tolist()) == sorted(numbers)
    assert (data.payments.clients, data.payments.companies) == (len(clients), len(numbers))


async def test_amounts_and_times_are_read_exactly(engine: AsyncEngine, tmp_path: Path) -> None:
    planted = [payment for payment in planted_payments() if payment.status == "paid" and payment.at][:PLANTED]

    await read(engine, tmp_path)
    payments = training_set(tmp_path).payments

    assert payments.cents.sum() == sum(payment.amount for payment in planted) * 100
    moments = {(payment.at - FIRST_DAY) // timedelta(microseconds=1) for payment in planted if payment.at}
    assert set((payments.at - int(FIRST_DAY.timestamp()) * 10**6).tolist()) == moments


async def test_other_statuses_are_read_when_they_are_asked_for(engine: AsyncEngine, tmp_path: Path) -> None:
    told = await read(engine, tmp_path, Selection(statuses=("paid", "refunded", "failed")))

    assert told.payments == PLANTED + 2


async def test_payments_created_before_a_moment_are_left_out(engine: AsyncEngine, tmp_path: Path) -> None:
    moments = sorted(payment.at for payment in planted_payments() if payment.at and payment.status == "paid")
    since = moments[-100]

    told = await read(engine, tmp_path, Selection(created_since=since))

    assert told.payments == 100


async def test_with_a_limit_the_newest_payments_are_read(engine: AsyncEngine, tmp_path: Path) -> None:
    newest = sorted(payment.at for payment in planted_payments() if payment.at)[-10]

    told = await read(engine, tmp_path, Selection(limit=10))

    assert told.payments == 10
    payments = training_set(tmp_path).payments
    assert payments.first == round(newest.timestamp() * 10**6)


async def test_a_member_of_the_indexers_role_can_read_and_nobody_else(training_database: str, tmp_path: Path) -> None:
    role = f"reader_{uuid.uuid4().hex}"
    as_reader = training_database.replace("postgres:", f"{role}:", 1)
    owner = await asyncpg.connect(training_database)
    await owner.execute(f"CREATE ROLE {role} LOGIN")
    try:
        async with open_database(as_reader, "test") as engine:
            with pytest.raises(FailedPrecondition, match="afin_indexer"):
                await read(engine, tmp_path)
            await owner.execute(f"GRANT afin_indexer TO {role}")
            told = await read(engine, tmp_path)
    finally:
        await owner.execute(f"DROP ROLE {role}")
        await owner.close()

    assert told.payments == PLANTED


async def test_a_disk_that_fails_is_not_taken_for_the_database(engine: AsyncEngine, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        await read(engine, tmp_path / "gone")

    assert caught.value.reason == "WORK_FOLDER_FAILS"
    assert "INDEXER_WORK_FOLDER" in caught.value.message


async def test_a_database_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    async with open_database("postgresql://u@127.0.0.1:1/d", "test") as engine:
        with pytest.raises(Unavailable):
            await read(engine, tmp_path)
