"""The code of now on a database that the next release has migrated: in a rolling upgrade, after a rollback of code."""

import asyncpg

from afin.warehouse.v1 import warehouse_pb2 as pb
from afin.warehouse.v1.warehouse_pb2_grpc import WarehouseServiceStub
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.migrate import migrate
from tests.integration.warehouse.lake_writer import put_payments
from tests.integration.warehouse.oracle import EPOCH, Observation
from tests.integration.warehouse.serving import NOT_SERVING, PATIENCE, SERVING, health, serving
from tests.integration.warehouse.test_migrate import run

# As migrations of the next release may be: columns more, a table more, views with columns at their end.
NEXT = """
ALTER TABLE warehouse.payments ADD COLUMN currency text NOT NULL DEFAULT 'EUR';
ALTER TABLE warehouse.loads ADD COLUMN next_count bigint;
ALTER TABLE warehouse.companies ADD COLUMN colour text;
ALTER TABLE ingest.runs ADD COLUMN asked_by text;
CREATE TABLE warehouse.of_the_next_release (id bigint PRIMARY KEY);
UPDATE warehouse.schema_version SET version_num = '9999'
"""


async def test_the_warehouse_loads_and_reads_on_a_newer_schema(
    database_url: str, object_store: LocalObjectStore
) -> None:
    await migrate(database_url)
    connection = await asyncpg.connect(database_url)
    async with serving(database_url, object_store._root) as channel:
        stub = WarehouseServiceStub(channel)
        await health(channel, SERVING)
        await stub.LoadPayments(_load(object_store, "before", "p1"), timeout=PATIENCE)

        await connection.execute(NEXT)

        await health(channel, SERVING)
        loaded = await stub.LoadPayments(_load(object_store, "after", "p2"), timeout=PATIENCE)
        history = await stub.GetPaymentHistory(
            pb.GetPaymentHistoryRequest(payment_id="p1", company_code="A"), timeout=PATIENCE
        )
        assert (loaded.load.counts.new, len(history.versions)) == (1, 1)
        await connection.execute("UPDATE warehouse.schema_version SET version_num = '0001'")
        await health(channel, NOT_SERVING)
    await connection.close()


async def test_to_migrate_with_older_code_does_nothing_and_says_so(database_url: str) -> None:
    await migrate(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute(NEXT)
    await connection.close()

    checked, migrated = run(database_url, "--check"), run(database_url)

    assert (checked.returncode, migrated.returncode) == (0, 0)
    assert "nothing to apply" in migrated.stdout
    assert "revision 9999" in checked.stdout


def _load(store: LocalObjectStore, load_id: str, payment_id: str) -> pb.LoadPaymentsRequest:
    request = put_payments(store, load_id, [Observation(payment_id, "A", EPOCH)])
    return pb.LoadPaymentsRequest(
        load_id=load_id, manifest_key=request.manifest_key, manifest_sha256=request.manifest_sha256
    )
