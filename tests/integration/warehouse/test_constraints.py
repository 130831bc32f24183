"""The database itself refuses what a bug could do to history, whatever wrote it."""

from collections.abc import Sequence

import asyncpg
import pytest

from tests.integration.warehouse.conftest import Loader
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation

PAYMENT = """
INSERT INTO warehouse.payments VALUES ('p', 'A', NULL, 'paid', 1, 'c', $1, $1, $1, $2, $3, $1, 'run-1')
"""
COMPANY = "INSERT INTO warehouse.companies VALUES ('A', 1, 'Name', NULL, NULL, NULL, false, $1, $2, $3, $1, 'run-1')"
Span = tuple[int, int | None]


async def insert(connection: asyncpg.Connection, statement: str, spans: Sequence[Span]) -> None:
    """All in one transaction: the constraints are looked at when it commits."""
    async with connection.transaction():
        for first, last in spans:
            end = None if last is None else EPOCH + last * MICROSECOND
            await connection.execute(statement, EPOCH + first * MICROSECOND, end, end is None)


@pytest.mark.parametrize("statement", [PAYMENT, COMPANY], ids=["payments", "companies"])
@pytest.mark.parametrize(
    "spans",
    [
        [(1, None), (2, None)],
        [(1, 2), (3, None)],
        [(1, 3), (2, 3), (3, None)],
        [(1, 3), (2, None), (3, None)],
        [(1, None), (1, None)],
        [(1, 2)],
        [(1, 1)],
        [(2, 1), (1, None)],
    ],
    ids=[
        "two current",
        "a gap",
        "an overlap that ends together",
        "an overlap",
        "twice the same",
        "none current",
        "an empty span",
        "an end before the start",
    ],
)
async def test_history_with_a_flaw_cannot_be_written(
    loader: Loader, connection: asyncpg.Connection, statement: str, spans: list[Span]
) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await insert(connection, statement, spans)


@pytest.mark.parametrize("statement", [PAYMENT, COMPANY], ids=["payments", "companies"])
async def test_a_sound_chain_can_be_written_in_any_order(
    loader: Loader, connection: asyncpg.Connection, statement: str
) -> None:
    await insert(connection, statement, [(3, None), (1, 2), (2, 3)])


async def test_a_current_version_cannot_have_ended(loader: Loader, connection: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(PAYMENT, EPOCH, None, False)


@pytest.mark.parametrize("start_moved", [True, False])
async def test_a_version_inside_a_history_cannot_be_removed_or_moved(
    loader: Loader, connection: asyncpg.Connection, start_moved: bool
) -> None:
    await loader.payments(*(Observation("p", "A", EPOCH + n * MICROSECOND, status=f"s{n}") for n in range(3)))
    second = "WHERE status = 's1'"
    change = (
        "UPDATE warehouse.payments SET start_date = start_date + interval '1 day', end_date = NULL, is_current = true"
    )
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await connection.execute(f"{change if start_moved else 'DELETE FROM warehouse.payments'} {second}")


async def test_an_account_that_does_not_balance_cannot_be_entered(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            "INSERT INTO warehouse.loads VALUES ('x', 'payments', 'k', 's', $1, 10, 1, 2, 3, 3, 0, NULL, $1, 1)", EPOCH
        )
