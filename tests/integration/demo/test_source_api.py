"""The source API over real HTTP and a real PostgreSQL."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import aiohttp
import asyncpg
import pytest

from tests.integration.demo.source_server import NOON, company, dataset, fill, get_json, payment, running_source

ALL = "/payments?updated_at=2024-04-30"


async def test_payments_come_in_byte_order_of_id_and_then_company(database_url: str) -> None:
    keys = [("b", "C2"), ("B", "C1"), ("a1", "C1"), ("b", "C1"), ("é", "C1"), ("a", "C1")]
    await fill(database_url, dataset([payment(*key) for key in keys]))

    async with running_source(database_url) as source:
        rows = await get_json(source, ALL)

    assert [(row["id"], row["company_code"]) for row in rows] == [
        ("B", "C1"),
        ("a", "C1"),
        ("a1", "C1"),
        ("b", "C1"),
        ("b", "C2"),
        ("é", "C1"),
    ]


async def test_pages_of_any_size_give_every_payment_once(database_url: str) -> None:
    rows = [payment(f"{number:04d}") for number in range(25)]
    await fill(database_url, dataset(rows))

    async with running_source(database_url) as source:
        pages = [await get_json(source, f"{ALL}&limit=10&offset={offset}") for offset in (0, 10, 20, 30)]

    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert [row["id"] for page in pages for row in page] == [row["payment_id"] for row in rows]


async def test_only_payments_after_midnight_of_the_day_are_given(database_url: str) -> None:
    midnight = datetime(2024, 5, 1, tzinfo=UTC)
    times = {"before": -timedelta(microseconds=1), "at": timedelta(0), "after": timedelta(microseconds=1)}
    await fill(database_url, dataset([payment(name, updated_at=midnight + gap) for name, gap in times.items()]))

    async with running_source(database_url) as source:
        rows = await get_json(source, "/payments?updated_at=2024-05-01")

    assert [row["id"] for row in rows] == ["after"]


async def test_a_payment_has_its_fields_in_utc_with_microseconds(database_url: str) -> None:
    created = NOON + timedelta(microseconds=120)
    await fill(database_url, dataset([payment("p", payment_at=None, created_at=created)]))

    async with running_source(database_url) as source:
        rows = await get_json(source, ALL)

    assert rows == [
        {
            "id": "p",
            "payment_at": None,
            "company_code": "C1",
            "status": "paid",
            "amount": 12.5,
            "external_client_id": "client-1",
            "created_at": "2024-05-01T12:00:00.000120+00:00",
            "updated_at": "2024-05-01T12:00:00.000000+00:00",
        }
    ]


@pytest.mark.parametrize("amount", ["12.50", "0.10", "0.29", "123456789012345678.91", "-3.00"])
async def test_amounts_are_written_as_exact_decimals(database_url: str, amount: str) -> None:
    await fill(database_url, dataset([payment("p", amount=Decimal(amount))]))

    async with running_source(database_url) as source, source.get(ALL) as response:
        text = await response.text()

    assert f'"amount":{amount},' in text
    assert json.loads(text, parse_float=Decimal)[0]["amount"] == Decimal(amount)


async def test_text_that_json_must_escape_arrives_as_it_was(database_url: str) -> None:
    name = 'Ñandú "Grill" \\ 日本\n</script>'
    await fill(database_url, dataset([payment("p")], [company(1, "C1", company_name=name)]))

    async with running_source(database_url) as source:
        rows = await get_json(source, "/companies")

    assert rows[0]["company_name"] == name


async def test_limit_is_capped_silently(database_url: str) -> None:
    await fill(database_url, dataset([payment(f"{number}") for number in range(5)]))

    async with running_source(database_url, max_limit=3) as source:
        asked_for_more = await get_json(source, f"{ALL}&limit=1000000")
        asked_for_none = await get_json(source, ALL)

    assert len(asked_for_more) == len(asked_for_none) == 3


async def test_companies_come_by_id_without_what_is_not_known(database_url: str) -> None:
    plain = company(9_000_000_000_000, "A")
    full = company(7, "Z", category_id=3, category_name="Water", is_top_biller=False)
    await fill(database_url, dataset([payment("p")], [plain, full]))

    async with running_source(database_url) as source:
        rows = await get_json(source, "/companies?limit=10")
        second = await get_json(source, "/companies?limit=1&offset=1")

    wanted = [{"id": row.pop("company_id"), **row} for row in (full, plain)]
    assert rows == wanted
    assert second == wanted[1:]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/payments", "updated_at"),
        ("/payments?updated_at=", "updated_at"),
        ("/payments?updated_at=yesterday", "updated_at"),
        ("/payments?updated_at=2024-02-30", "updated_at"),
        ("/payments?updated_at=20240501", "updated_at"),
        ("/payments?updated_at=2024-05-01T00:00:00Z", "updated_at"),
        ("/payments?updated_at=0000-01-01", "updated_at"),
        (f"{ALL}&limit=0", "limit"),
        (f"{ALL}&limit=-1", "limit"),
        (f"{ALL}&limit=ten", "limit"),
        (f"{ALL}&limit=1e3", "limit"),
        (f"{ALL}&offset=-1", "offset"),
        (f"{ALL}&offset=1.5", "offset"),
        (f"{ALL}&offset=9999999999999999999", "offset"),
        ("/companies?limit=", "limit"),
        ("/companies?offset=%D9%A3", "offset"),
    ],
)
async def test_a_bad_parameter_is_a_400_that_names_it(database_url: str, path: str, field: str) -> None:
    await fill(database_url, dataset([payment("p")]))

    async with running_source(database_url) as source, source.get(path) as response:
        assert response.status == 400
        assert (await response.json())["error"].startswith(f"{field} must be ")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/payments", 405)])
async def test_other_requests_are_refused_in_json(database_url: str, method: str, path: str, status: int) -> None:
    async with running_source(database_url) as source, source.request(method, path) as response:
        assert response.status == status
        assert (await response.json())["error"]


async def test_the_answer_carries_the_source_s_own_time(database_url: str) -> None:
    async with running_source(database_url) as source, source.get("/healthz") as response:
        assert response.status == 200
        assert datetime.strptime(response.headers["Date"], "%a, %d %b %Y %H:%M:%S %Z").replace(tzinfo=UTC) > NOON


async def test_a_lost_database_is_a_503_until_it_is_back(database_url: str, postgres_url: str) -> None:
    name = database_url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]
    await fill(database_url, dataset([payment("p")]))

    async with running_source(database_url) as source:
        await get_json(source, ALL)
        await _set_connections(postgres_url, name, allowed=False)
        lost = await _statuses(source)
        await _set_connections(postgres_url, name, allowed=True)
        back = await _statuses(source)

    assert lost == [503, 503]
    assert back == [200, 200]


async def _statuses(source: aiohttp.ClientSession) -> list[int]:
    statuses = []
    for path in (ALL, "/healthz"):
        async with source.get(path) as response:
            await response.json()
            statuses.append(response.status)
    return statuses


async def _set_connections(postgres_url: str, name: str, *, allowed: bool) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
        if not allowed:
            await connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", name
            )
    finally:
        await connection.close()
