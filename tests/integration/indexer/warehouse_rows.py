"""Rows of a small planted world, put into a migrated warehouse as current versions.

Four groups of ten companies with clients of their own, then ten companies that everybody pays now and then. Beside
them: C-retired and C-unlisted, which are paid but cannot be recommended, and C-unpaid, which nobody paid.
"""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import numpy as np

from services.warehouse.migrate import migrate

FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
WATERMARK = datetime(2025, 4, 11, 6, tzinfo=UTC)
LOAD = "load-1"
GROUPS = 4
GROUP_SIZE = 10
CLIENTS = 160
PAYMENTS_EACH = 12
LISTED = GROUPS * GROUP_SIZE + 10
PAYMENT_COLUMNS = (
    "payment_id",
    "company_code",
    "payment_at",
    "status",
    "amount",
    "external_client_id",
    "created_at",
    "updated_at",
    "start_date",
    "is_current",
    "recorded_at",
    "load_id",
)
COMPANY_COLUMNS = (
    "company_code",
    "company_id",
    "company_name",
    "category_id",
    "category_name",
    "is_top_biller",
    "is_retired",
    "start_date",
    "is_current",
    "recorded_at",
    "load_id",
)
ENTER_LOAD = """
INSERT INTO warehouse.loads VALUES ($1, 'payments', 'key', 'sha256', $2, 0, 0, 0, 0, 0, 0, $2, $2, 1)
"""
SET_WATERMARK = "INSERT INTO warehouse.watermarks VALUES ('payments', $2, $1)"


@dataclass(frozen=True)
class Payment:
    """A payment of one client to one company."""

    client: str
    company: str
    at: datetime | None
    status: str = "paid"
    amount: Decimal = Decimal("10.00")


@dataclass(frozen=True)
class Company:
    """A company of the catalogue; its id is as large and sparse as sources have them."""

    code: str
    number: int
    category: int | None = None
    is_retired: bool = False


def code_of(number: int) -> str:
    """The code of a listed company."""
    return f"C{number:02d}"


def planted_payments(seed: int = 1) -> list[Payment]:
    """The world's payments, over 100 days; every client is called client-<group>-<number>."""
    rng = np.random.default_rng(seed)
    payments = []
    for number in range(CLIENTS):
        group = number % GROUPS
        for _ in range(PAYMENTS_EACH):
            first = GROUPS * GROUP_SIZE if rng.random() < 0.1 else group * GROUP_SIZE
            moment = FIRST_DAY + timedelta(days=100 * rng.random())
            amount = Decimal(int(rng.integers(100, 10_000))) / 100
            company = code_of(first + int(rng.integers(10)))
            payments.append(Payment(f"client-{group}-{number}", company, moment, amount=amount))
    middle = FIRST_DAY + timedelta(days=50)
    return [
        *payments,
        *(Payment(f"client-{number % GROUPS}-{number}", "C-retired", middle) for number in range(5)),
        *(Payment(f"client-{number % GROUPS}-{number}", "C-unlisted", middle) for number in range(4)),
        Payment("client-0-0", code_of(0), None),
        Payment("client-0-0", code_of(0), middle, status="refunded"),
        Payment("client-who-never-paid", code_of(0), middle, status="failed"),
    ]


def planted_companies() -> list[Company]:
    """The world's catalogue."""
    listed = [Company(code_of(number), 10**12 + 7 * number, number // GROUP_SIZE) for number in range(LISTED)]
    return [*listed, Company("C-unpaid", 3), Company("C-retired", 5, is_retired=True)]


@contextmanager
def migrated_database(postgres_url: str) -> Iterator[str]:
    """The URL of a database with the warehouse's schema and no rows."""
    name = f"indexer_{uuid.uuid4().hex}"
    asyncio.run(_execute(postgres_url, f"CREATE DATABASE {name}"))
    url = postgres_url.replace("/postgres?", f"/{name}?")
    asyncio.run(migrate(url))
    yield url
    asyncio.run(_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def insert_rows(url: str, payments: Sequence[Payment], companies: Sequence[Company]) -> None:
    """Current versions, in the order given, and the watermark."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.copy_records_to_table(
                "payments", schema_name="warehouse", columns=PAYMENT_COLUMNS, records=map(_payment_record, payments)
            )
            await connection.copy_records_to_table(
                "companies", schema_name="warehouse", columns=COMPANY_COLUMNS, records=map(_company_record, companies)
            )
            await connection.execute(ENTER_LOAD, LOAD, WATERMARK)
            await connection.execute(SET_WATERMARK, LOAD, WATERMARK)
    finally:
        await connection.close()


def _payment_record(payment: Payment) -> tuple[object, ...]:
    seen = payment.at or FIRST_DAY
    attributes = (payment.at, payment.status, payment.amount, payment.client)
    return (uuid.uuid4().hex, payment.company, *attributes, seen, seen, seen, True, seen, LOAD)


def _company_record(company: Company) -> tuple[object, ...]:
    category = None if company.category is None else f"Category {company.category}"
    attributes = (company.number, f"Company {company.code}", company.category, category, None)
    return (company.code, *attributes, company.is_retired, FIRST_DAY, True, FIRST_DAY, LOAD)


async def add_payments(url: str, payments: Sequence[Payment], watermark: datetime) -> None:
    """More current versions, and the watermark that comes with them."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.copy_records_to_table(
                "payments", schema_name="warehouse", columns=PAYMENT_COLUMNS, records=map(_payment_record, payments)
            )
            await connection.execute("UPDATE warehouse.watermarks SET value = $1", watermark)
    finally:
        await connection.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def load(url: str, sequence: int, payments: Sequence[Payment], at: datetime) -> None:
    """A further load of the ledger, with new payments."""
    connection = await asyncpg.connect(url)
    name = f"load-{sequence}"
    rows = [(*_payment_record(payment)[:-2], at, name) for payment in payments]
    try:
        async with connection.transaction():
            await connection.execute(ENTER_LOAD.replace("$2, 1)", f"$2, {sequence})"), name, at)
            await connection.copy_records_to_table(
                "payments", schema_name="warehouse", columns=PAYMENT_COLUMNS, records=rows
            )
    finally:
        await connection.close()


async def change(url: str, statement: str, *arguments: object) -> None:
    """Changes rows by hand."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()
