"""Loading a dataset into the source's tables."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from demo.generator import generate
from demo.population.parameters import GeneratorParameters
from demo.source.database import SourceDatabaseError, open_connection
from tests.integration.demo.source_server import company, dataset, fill, payment

SMALL = GeneratorParameters(end=date(2025, 7, 1), seed=5, clients=200, companies=60, days=90, payments=25_000)


async def test_a_load_puts_every_row_and_value_into_the_tables(database_url: str) -> None:
    made = generate(SMALL)

    report = await fill(database_url, made)

    stored = await _fetch(database_url, "SELECT * FROM source.payments ORDER BY id, company_code")
    listed = await _fetch(database_url, "SELECT * FROM source.companies ORDER BY company_code")
    assert (report.loaded, report.payments, report.companies) == (True, 25_000, 60)
    assert [tuple(row) for row in stored] == _sorted_rows(made.payments, stored[0].keys(), "payment_id")
    assert [tuple(row) for row in listed] == _sorted_rows(made.companies, listed[0].keys(), "company_id")


async def test_the_same_dataset_again_changes_nothing(database_url: str) -> None:
    await fill(database_url, dataset([payment("p")]))
    await _execute(database_url, "UPDATE source.payments SET status = 'changed since'")

    report = await fill(database_url, dataset([payment("p")]))

    rows = await _fetch(database_url, "SELECT id, status FROM source.payments")
    assert not report.loaded
    assert [tuple(row) for row in rows] == [("p", "changed since")]


async def test_another_dataset_replaces_all_rows(database_url: str) -> None:
    await fill(database_url, dataset([payment("old")], [company(1, "OLD")]))

    report = await fill(database_url, dataset([payment("new")], [company(2, "NEW")]))

    payments = await _fetch(database_url, "SELECT id FROM source.payments")
    companies = await _fetch(database_url, "SELECT company_code FROM source.companies")
    assert report.loaded
    assert [row[0] for row in payments] == ["new"]
    assert [row[0] for row in companies] == ["NEW"]


async def test_the_dataset_before_the_last_is_loaded_again(database_url: str) -> None:
    first, second = dataset([payment("first")]), dataset([payment("second")])
    await fill(database_url, first)
    await fill(database_url, second)

    report = await fill(database_url, first)

    assert report.loaded
    assert [row[0] for row in await _fetch(database_url, "SELECT id FROM source.payments")] == ["first"]


async def test_a_load_that_fails_leaves_the_rows_as_they_were(database_url: str) -> None:
    await fill(database_url, dataset([payment("p")]))
    twice = dataset([payment("twice"), payment("twice", amount=Decimal(1))])

    with pytest.raises(asyncpg.UniqueViolationError):
        await fill(database_url, twice)

    assert [row[0] for row in await _fetch(database_url, "SELECT id FROM source.payments")] == ["p"]


async def test_two_loads_at_once_leave_one_dataset_whole(database_url: str) -> None:
    many = [dataset([payment(f"{name}{number}") for number in range(2000)]) for name in "ab"]

    reports = await asyncio.gather(*(fill(database_url, rows) for rows in (*many, *many)))

    ids = {row[0][0] for row in await _fetch(database_url, "SELECT id FROM source.payments")}
    counted = await _fetch(database_url, "SELECT (SELECT count(*) FROM source.payments), count(*) FROM source.datasets")
    assert any(report.loaded for report in reports)
    assert len(ids) == 1
    assert tuple(counted[0]) == (2000, 1)


async def test_values_that_may_be_missing_are_stored_as_null(database_url: str) -> None:
    await fill(
        database_url, dataset([payment("p", status=None, amount=None, external_client_id=None, payment_at=None)])
    )

    rows = await _fetch(database_url, "SELECT status, amount, external_client_id, payment_at FROM source.payments")

    assert tuple(rows[0]) == (None, None, None, None)


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@/nothing?host=/no/such/folder", "postgresql://127.0.0.1:1/x", "postgresql://h:port/x"]
)
async def test_a_database_that_is_not_there_is_told_without_its_url(url: str) -> None:
    with pytest.raises(SourceDatabaseError, match="SOURCE_DATABASE_URL") as raised:
        async with open_connection(url):
            pass

    assert url not in str(raised.value)


async def _fetch(url: str, query: str) -> list[asyncpg.Record]:
    return list(await _with_connection(url, lambda connection: connection.fetch(query)))


async def _execute(url: str, statement: str) -> None:
    await _with_connection(url, lambda connection: connection.execute(statement))


async def _with_connection(url: str, act: Callable[[asyncpg.Connection], Awaitable[Any]]) -> Any:
    async with open_connection(url) as connection:
        return await act(connection)


def _sorted_rows(table: Any, columns: Any, identity: str) -> list[tuple[Any, ...]]:
    names = [identity if name == "id" else name for name in columns]
    rows = [tuple(row[name] for name in names) for row in table.to_pylist()]
    return sorted(rows, key=lambda row: (row[0], row[1]) if identity == "payment_id" else row[1])
