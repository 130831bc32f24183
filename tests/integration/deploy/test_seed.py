"""The generated payments of a compose stack or a small cluster."""

from datetime import UTC, date, datetime

import asyncpg

from demo.seed import seed

TODAY = date(2026, 3, 1)


async def test_an_empty_source_gets_payments_up_to_today(database_url: str) -> None:
    said = await seed(database_url, TODAY)

    assert said == "made 60000 payments to 600 companies"
    connection = await asyncpg.connect(database_url, timeout=10)
    newest = await connection.fetchval("SELECT max(updated_at) FROM source.payments")
    await connection.close()
    assert datetime(2026, 2, 28, tzinfo=UTC) < newest < datetime(2026, 3, 1, tzinfo=UTC)


async def test_a_source_that_holds_payments_is_kept_on_another_day(database_url: str) -> None:
    await seed(database_url, TODAY)
    connection = await asyncpg.connect(database_url, timeout=10)
    before = await connection.fetchval("SELECT fingerprint FROM source.datasets")

    said = await seed(database_url, date(2026, 3, 2))

    after = await connection.fetchval("SELECT fingerprint FROM source.datasets")
    await connection.close()
    assert (said, after) == ("the source holds payments already; nothing was made", before)
