"""The lake: every object once, the manifest last and of one winner, the quarantine listed within bounds."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.contracts.lake import PAYMENTS_SCHEMA
from services.ingest.adapters.lake import MAX_ANSWER_BYTES, ObjectLake
from services.ingest.adapters.parquet import MAX_RAW_BYTES
from services.ingest.domain.rows import PAYMENT_FIELDS, source_row
from services.ingest.domain.validation import PaymentRow, RefusedRow, Sifted, payment_row, sift
from services.ingest.workflow.values import PassFacts, Place, QuarantinePosition, StoredManifest
from services.runtime.errors import DataLoss
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.source_server import NOW, payment

PLACE = Place("payments", date(2026, 3, 7), "run-1")
FACTS = PassFacts(date(2026, 3, 7), NOW, NOW)
START = QuarantinePosition()


def good(*numbers: int) -> Sifted[PaymentRow]:
    """Good payments."""
    rows = [source_row(payment(number), "", PAYMENT_FIELDS) for number in numbers]
    return sift(rows, 0, lambda fields, at: payment_row(fields, NOW, at))


def bad(*raws: str) -> Sifted[PaymentRow]:
    """Refused payments."""
    return Sifted([], [RefusedRow("amount is not a number", raw) for raw in raws])


async def stored(lake: ObjectLake, *batches: Sifted[PaymentRow], attempt: int = 1) -> StoredManifest:
    """A pass of these batches, written and finished."""
    writer = lake.writer(PLACE, attempt)
    for batch in batches:
        await writer.write(batch)
    return await writer.finish(FACTS)


@pytest.fixture
def lake(object_store: LocalObjectStore) -> ObjectLake:
    """A lake in a folder."""
    return ObjectLake(object_store)


async def test_rows_are_read_back_as_they_were_written(lake: ObjectLake, object_store: LocalObjectStore) -> None:
    found = await stored(lake, good(1, 2), good(3))

    (part,) = found.manifest.parts
    table = pq.read_table(pa.BufferReader(object_store.get(part.key)), page_checksum_verification=True)
    assert table.schema.equals(PAYMENTS_SCHEMA)
    assert table["payment_id"].to_pylist() == ["p00001", "p00002", "p00003"]
    assert part.key == "raw/payments/updated_date=2026-03-07/run=run-1/part-01-00000.parquet"


async def test_the_manifest_of_a_pass_is_found_again(lake: ObjectLake) -> None:
    written = await stored(lake, good(1), bad("{}"))

    assert await lake.find(PLACE) == written
    assert (written.manifest.rows, written.manifest.quarantined) == (1, 1)


async def test_before_its_manifest_a_pass_is_not_there(lake: ObjectLake) -> None:
    await lake.writer(PLACE, 1).write(good(1))

    assert await lake.find(PLACE) is None


async def test_of_two_attempts_the_first_manifest_counts_for_both(lake: ObjectLake) -> None:
    first = await stored(lake, good(1, 2), attempt=1)

    second = await stored(lake, good(1, 2, 3), attempt=2)

    assert second == first


async def test_a_pass_without_rows_has_a_manifest_without_parts(lake: ObjectLake) -> None:
    found = await stored(lake)

    assert (found.manifest.parts, found.manifest.quarantine) == ((), ())


async def test_bytes_that_are_no_manifest_are_not_taken_for_one(
    lake: ObjectLake, object_store: LocalObjectStore
) -> None:
    object_store.put_if_absent("raw/payments/updated_date=2026-03-07/run=run-1/manifest.json", b"{}")

    with pytest.raises(DataLoss, match="is no manifest; restore it"):
        await lake.find(PLACE)


async def test_refused_rows_are_listed_page_by_page_with_their_reasons(lake: ObjectLake) -> None:
    found = await stored(lake, bad("1", "2", "3"), good(1), bad("4", "5"))

    first, second = await lake.refused_rows(found, START, 3)
    assert second is not None
    rest, end = await lake.refused_rows(found, second, 3)

    assert [row.raw for row in first + rest] == ["1", "2", "3", "4", "5"]
    assert end is None
    assert await lake.reasons(found) == {"amount is not a number": 5}


async def test_a_last_page_that_is_full_has_no_next_one(lake: ObjectLake) -> None:
    found = await stored(lake, bad("1", "2"))

    assert (await lake.refused_rows(found, START, 2))[1] is None


async def test_a_position_behind_the_quarantine_lists_nothing(lake: ObjectLake) -> None:
    found = await stored(lake, bad("1"))

    assert await lake.refused_rows(found, QuarantinePosition(0, 7), 2) == ([], None)
    assert await lake.refused_rows(found, QuarantinePosition(9, 0), 2) == ([], None)


async def test_an_answer_stays_within_what_grpc_clients_take(lake: ObjectLake) -> None:
    large = "x" * MAX_RAW_BYTES
    found = await stored(lake, bad(*[large] * 40))

    rows, following = await lake.refused_rows(found, START, 1000)

    assert sum(len(row.raw) for row in rows) <= MAX_ANSWER_BYTES
    assert following == QuarantinePosition(0, len(rows))


async def test_a_giant_row_is_cut_in_the_quarantine(lake: ObjectLake) -> None:
    found = await stored(lake, bad("é" * MAX_RAW_BYTES))

    ((row,), _) = await lake.refused_rows(found, START, 1)

    assert len(row.raw.encode()) == MAX_RAW_BYTES


async def test_a_damaged_part_is_not_listed(lake: ObjectLake, tmp_path: Path) -> None:
    found = await stored(lake, bad("1"))
    path = tmp_path / "objects" / found.manifest.quarantine[0].key
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)

    with pytest.raises(DataLoss, match="SHA-256"):
        await lake.refused_rows(found, START, 1)
