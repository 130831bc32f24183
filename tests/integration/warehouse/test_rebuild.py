"""A database that is built again from the lake holds the same rows; what the lake lacks is told, with what to do."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from services.runtime.errors import DataLoss, FailedPrecondition
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.domain.loads import Load
from services.warehouse.migrate import migrate
from services.warehouse.rebuild import rebuild
from services.warehouse.settings import WarehouseSettings
from services.warehouse.workflow import Loads
from tests.integration.warehouse.conftest import Loader
from tests.integration.warehouse.lake_writer import Company
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation
from tests.integration.warehouse.tables import all_rows
from tests.receipts import put_receipt

COMMAND = [sys.executable, "-W", "error", "-m", "services.warehouse.rebuild"]
DAY = timedelta(days=1)
P1 = Observation("p1", "A", EPOCH + DAY)


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A look at the database that is built again."""
    await migrate(database_url)
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def warehouse_settings(database_url: str, object_store: LocalObjectStore) -> WarehouseSettings:
    """Of a warehouse on the new database and the same lake."""
    fields = {"database_url": database_url, "object_store_url": object_store._root.as_uri()}
    return WarehouseSettings.model_validate(fields)


@pytest.fixture
async def loaded(loads: Loads, loader: Loader, object_store: LocalObjectStore) -> list[Load]:
    """Loads with late rows, ties, confirmations, a backfill, and a company that goes and comes back."""
    refunded = Observation("p1", "A", EPOCH + 2 * DAY, status="refunded")
    kept = [
        await loader.companies(Company("A"), Company("B"), source_time=EPOCH),
        await loader.payments(P1, Observation("p1", "A", EPOCH + 3 * DAY), watermark=EPOCH + DAY),
        await loader.payments(refunded, Observation("p1", "A", EPOCH, status="new"), watermark=EPOCH + 2 * DAY),
        await loader.companies(Company("A"), source_time=EPOCH + DAY),
    ]
    put_receipt(object_store, kept[0])
    put_receipt(object_store, kept[3])
    for number in (3, 0):
        kept[number] = (await loads.record_companies_update(kept[number].load_id))[1]
        put_receipt(object_store, kept[number], generation=1)
    tie = Observation("p1", "A", EPOCH + DAY, status="cancelled")
    kept += [
        await loader.payments(tie, P1, refunded, Observation("p2", "A", EPOCH + MICROSECOND)),
        await loader.companies(Company("A", company_name="New"), Company("B"), source_time=EPOCH + 2 * DAY, refused=1),
    ]
    for load in (kept[1], kept[2], *kept[4:]):
        put_receipt(object_store, load)
    return kept


async def test_the_same_rows_stand_in_every_table(
    loaded: list[Load], warehouse_settings: WarehouseSettings, connection: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    report = await rebuild(warehouse_settings)

    assert await all_rows(other) == await all_rows(connection)
    assert (report.applied, report.known, report.missing, report.differing) == (8, 0, [], [])
    assert report.rows == sum(load.counts.rows for load in loaded)


async def test_a_rebuild_that_was_interrupted_goes_on_where_it_stopped(
    loaded: list[Load],
    warehouse_settings: WarehouseSettings,
    connection: asyncpg.Connection,
    other: asyncpg.Connection,
    object_store: LocalObjectStore,
) -> None:
    part = loaded[4].manifest_key.replace("manifest-01.json", "part-01-00000.parquet")
    content = object_store.get(part)
    object_store.delete(part)
    with pytest.raises(DataLoss, match=r"part-01-00000.* is gone; restore it"):
        await rebuild(warehouse_settings)
    object_store.put_if_absent(part, content)

    report = await rebuild(warehouse_settings)

    assert (report.known, report.applied) == (6, 2)
    assert await all_rows(other) == await all_rows(connection)
    assert (await rebuild(warehouse_settings)).known == 8


async def test_two_rebuilds_at_once_give_the_same_rows(
    loaded: list[Load], warehouse_settings: WarehouseSettings, connection: asyncpg.Connection, other: asyncpg.Connection
) -> None:
    reports = await asyncio.gather(rebuild(warehouse_settings), rebuild(warehouse_settings))

    assert sum(report.applied for report in reports) == 8
    assert await all_rows(other) == await all_rows(connection)


@pytest.mark.usefixtures("loaded")
async def test_a_database_that_holds_anything_else_is_refused_and_stays(
    loader: Loader, warehouse_url: str, warehouse_settings: WarehouseSettings, connection: asyncpg.Connection
) -> None:
    await loader.payments(P1)
    before = await all_rows(connection)
    same = warehouse_settings.model_copy(update={"database_url": _secret(warehouse_url)})

    with pytest.raises(FailedPrecondition, match="goes on to number 9, the lake's receipts to 8") as refused:
        await rebuild(same)

    assert refused.value.reason == "NOT_EMPTY"
    assert await all_rows(connection) == before


async def test_a_database_with_loads_of_another_lake_is_refused(
    loaded: list[Load], warehouse_settings: WarehouseSettings, other: asyncpg.Connection
) -> None:
    await other.execute(
        "INSERT INTO warehouse.loads VALUES ('x', 'payments', 'k', 's', $1, 0, 0, 0, 0, 0, 0, NULL, $1, 1)", EPOCH
    )
    with pytest.raises(FailedPrecondition, match="Name an empty, migrated one that no service uses"):
        await rebuild(warehouse_settings)

    assert (await all_rows(other))["payments"] == []


async def test_a_lost_receipt_is_named_by_its_place_and_can_be_left_out(
    loaded: list[Load], warehouse_settings: WarehouseSettings, object_store: LocalObjectStore, other: asyncpg.Connection
) -> None:
    object_store.delete(loaded[2].manifest_key.replace("manifest-01", "receipt-0"))
    with pytest.raises(FailedPrecondition, match="place 3 of 8"):
        await rebuild(warehouse_settings)

    report = await rebuild(warehouse_settings, skip_missing=True)

    assert (report.missing, report.applied) == ([3], 7)
    assert report.differing == [loaded[4].load_id]
    assert await other.fetchval("SELECT max(sequence) FROM warehouse.loads") == 8


@pytest.mark.parametrize("name", ["receipt-0.json", "manifest-01.json", "part-01-00000.parquet"])
async def test_a_damaged_object_is_named_and_nothing_of_it_is_loaded(
    loaded: list[Load],
    warehouse_settings: WarehouseSettings,
    object_store: LocalObjectStore,
    other: asyncpg.Connection,
    name: str,
) -> None:
    path = object_store._root / loaded[1].manifest_key.replace("manifest-01.json", name)
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])

    with pytest.raises(DataLoss, match=f"{name}.*restore it"):
        await rebuild(warehouse_settings)

    assert (await all_rows(other))["payments"] == []


async def test_a_manifest_that_is_gone_is_named(
    loaded: list[Load], warehouse_settings: WarehouseSettings, object_store: LocalObjectStore, other: asyncpg.Connection
) -> None:
    object_store.delete(loaded[0].manifest_key)

    with pytest.raises(DataLoss, match=r"manifest-01\.json' of a receipt is gone; restore it"):
        await rebuild(warehouse_settings)


async def test_of_several_generations_the_highest_counts(
    loader: Loader, warehouse_settings: WarehouseSettings, object_store: LocalObjectStore, other: asyncpg.Connection
) -> None:
    first = await loader.payments(P1)
    second = await loader.payments(Observation("p2", "A", EPOCH))
    put_receipt(object_store, first, sequence=9)
    put_receipt(object_store, first, generation=9, sequence=8)
    put_receipt(object_store, first, generation=10)
    put_receipt(object_store, second)

    assert (await rebuild(warehouse_settings)).applied == 2


async def test_a_database_that_was_not_migrated_is_told(warehouse_settings: WarehouseSettings) -> None:
    with pytest.raises(FailedPrecondition, match=r"services\.warehouse\.migrate"):
        await rebuild(warehouse_settings)


async def test_an_empty_lake_gives_an_empty_warehouse(
    warehouse_settings: WarehouseSettings, other: asyncpg.Connection
) -> None:
    assert (await rebuild(warehouse_settings)).applied == 0


async def test_the_command_tells_its_progress_and_reports_as_json(
    loaded: list[Load], database_url: str, object_store: LocalObjectStore, other: asyncpg.Connection, tmp_path: Path
) -> None:
    result = await asyncio.to_thread(_command, database_url, object_store, "--json")
    again = await asyncio.to_thread(_command, database_url, object_store)
    object_store.delete(loaded[0].manifest_key.replace("manifest-01", "receipt-0"))
    object_store.delete(loaded[0].manifest_key.replace("manifest-01", "receipt-1"))
    refused = await asyncio.to_thread(_command, database_url, object_store)

    assert json.loads(result.stdout) | {"seconds": 0} == {
        "applied": 8,
        "known": 0,
        "rows": 13,
        "missing": [],
        "differing": [],
        "seconds": 0,
    }
    assert "     1/8 companies, load load-1: applied" in result.stderr
    assert "applied 0 entries with 0 rows" in again.stdout
    assert (result.returncode, again.returncode, refused.returncode) == (0, 0, 1)
    assert refused.stderr.startswith("rebuild: no receipt tells what stands at place 1, 6 of 8")


async def test_a_rebuild_that_is_killed_goes_on_where_it_stopped(
    loaded: list[Load], database_url: str, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    await migrate(database_url)
    environment = _environment(database_url, object_store)
    process = await asyncio.create_subprocess_exec(*COMMAND, env=environment, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    async with asyncio.timeout(60):
        assert b"1/8 companies" in await process.stderr.readline()
        process.kill()
        await process.communicate()

    result = await asyncio.to_thread(_command, database_url, object_store, "--json")

    report = json.loads(result.stdout)
    assert report["known"] + report["applied"] == 8
    assert report["known"] >= 1
    other = await asyncpg.connect(database_url)
    assert await all_rows(other) == await all_rows(connection)
    await other.close()


def _command(url: str, store: LocalObjectStore, *arguments: str) -> subprocess.CompletedProcess[str]:
    command, environment = [*COMMAND, *arguments], _environment(url, store)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def _environment(url: str, store: LocalObjectStore) -> dict[str, str]:
    return {**os.environ, "WAREHOUSE_DATABASE_URL": url, "WAREHOUSE_OBJECT_STORE_URL": store._root.as_uri()}


def _secret(url: str) -> object:
    return WarehouseSettings.model_validate({"database_url": url, "object_store_url": "file:///x"}).database_url
