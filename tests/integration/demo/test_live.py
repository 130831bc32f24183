"""The changes of the live mode in a real source."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import numpy as np
import pytest

from demo.live.changes import Change, Traffic
from demo.live.habits import NoPaymentsError, read_habits
from demo.source.database import open_connection
from tests.integration.demo.source_server import NOON, dataset, fill, payment

PAID = payment("paid")
WAITING = payment("waiting", status="pending", payment_at=None)


@dataclass(frozen=True)
class Live:
    """A source with live traffic, and the database's time before it began."""

    connection: asyncpg.Connection
    traffic: Traffic
    began: datetime

    async def row(self, condition: str) -> asyncpg.Record:
        """The one payment that meets the condition."""
        rows = await self.connection.fetch(f"SELECT * FROM source.payments WHERE {condition}")
        assert len(rows) == 1
        return rows[0]


@asynccontextmanager
async def _live(url: str, *rows: dict[str, object]) -> AsyncIterator[Live]:
    await fill(url, dataset(list(rows)))
    async with open_connection(url) as connection:
        habits = await read_habits(connection)
        began = await connection.fetchval("SELECT clock_timestamp()")
        yield Live(connection, Traffic(connection, habits, np.random.default_rng(3)), began)


async def test_a_new_payment_follows_the_habits_and_is_paid_now(database_url: str) -> None:
    async with _live(database_url, PAID) as live:
        assert await live.traffic.make(Change.PAYMENT)
        row = await live.row("id <> 'paid'")

    assert (row["external_client_id"], row["company_code"], row["status"]) == ("client-1", "C1", "paid")
    assert Decimal(5) < row["amount"] < Decimal(30)
    assert row["payment_at"] == row["created_at"] == row["updated_at"] >= live.began


async def test_a_waiting_payment_has_no_time_of_payment_until_it_is_settled(database_url: str) -> None:
    async with _live(database_url, PAID) as live:
        assert await live.traffic.make(Change.WAITING_PAYMENT)
        waiting = await live.row("id <> 'paid'")
        assert await live.traffic.make(Change.SETTLEMENT)
        settled = await live.row("id <> 'paid'")

    assert (waiting["status"], waiting["payment_at"]) == ("pending", None)
    assert (settled["status"], settled["payment_at"]) == ("paid", settled["updated_at"])
    assert settled["updated_at"] > waiting["updated_at"] == settled["created_at"]


async def test_a_late_payment_was_made_at_least_a_day_before_it_is_entered(database_url: str) -> None:
    async with _live(database_url, PAID) as live:
        assert await live.traffic.make(Change.LATE_PAYMENT)
        row = await live.row("id <> 'paid'")

    assert row["created_at"] - row["payment_at"] >= timedelta(days=1)
    assert row["created_at"] == row["updated_at"] >= live.began


async def test_a_correction_changes_the_amount_of_a_recent_payment(database_url: str) -> None:
    recent = [payment(f"p{number}") for number in range(600)]
    async with _live(database_url, *recent) as live:
        assert await live.traffic.make(Change.CORRECTION)
        row = await live.row("amount <> 12.50")

    assert row["updated_at"] >= live.began
    assert (row["status"], row["created_at"], row["payment_at"]) == ("paid", NOON, NOON)


async def test_a_refund_changes_the_status_of_a_recent_payment(database_url: str) -> None:
    recent = [payment(f"p{number}") for number in range(600)]
    async with _live(database_url, *recent) as live:
        assert await live.traffic.make(Change.REFUND)
        row = await live.row("status = 'refunded'")

    assert row["updated_at"] >= live.began
    assert (row["amount"], row["created_at"]) == (Decimal("12.50"), NOON)


@pytest.mark.parametrize("kind", [Change.CORRECTION, Change.REFUND, Change.SETTLEMENT])
async def test_nothing_changes_where_no_payment_fits(database_url: str, kind: Change) -> None:
    refunded = payment("refunded", status="refunded")
    async with _live(database_url, refunded) as live:
        made = await live.traffic.make(kind)
        row = await live.row("true")

    assert not made
    assert (row["status"], row["updated_at"]) == ("refunded", NOON)


async def test_the_oldest_waiting_payment_is_settled_first(database_url: str) -> None:
    older = payment("older", status="pending", payment_at=None, updated_at=datetime(2024, 4, 30, tzinfo=UTC))
    async with _live(database_url, WAITING, older) as live:
        assert await live.traffic.make(Change.SETTLEMENT)
        row = await live.row("status = 'paid'")

    assert row["id"] == "older"


async def test_habits_need_payments(database_url: str) -> None:
    await fill(database_url, dataset([payment("p", external_client_id=None)]))

    async with open_connection(database_url) as connection:
        with pytest.raises(NoPaymentsError, match="load a dataset"):
            await read_habits(connection)
