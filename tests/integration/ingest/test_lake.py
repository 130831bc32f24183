"""The lake: every object once, a manifest for each attempt, receipts, the quarantine listed within bounds."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.contracts.lake import PAYMENTS_SCHEMA
from services.contracts.receipt import Receipt, receipt_key
from services.ingest.adapters.lake import ObjectLake
from services.ingest.adapters.parquet import MAX_RAW_BYTES
from services.ingest.adapters.quarantine import MAX_ANSWER_BYTES
from services.ingest.adapters.source_json import parse_payments
from services.ingest.domain.sifting import RefusedRow, Sifted, Terms, sift
from services.ingest.workflow.values import (
    ManifestReference,
    PassFacts,
    Place,
    QuarantinePosition,
    StoredManifest,
    StoredParts,
)
from services.runtime.errors import AlreadyExists, DataLoss
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.source_server import NOW, payment
from tests.receipts import a_receipt

PLACE = Place("payments", date(2026, 3, 7), "run-1")
FACTS = PassFacts(date(2026, 3, 7), NOW, NOW)
START = QuarantinePosition()


def good(*numbers: int) -> Sifted:
    """Good payments."""
    rows = parse_payments(json.dumps([payment(number) for number in numbers]).encode(), len(numbers))
    return sift(rows, range(len(rows)), Terms(NOW), 0)


def bad(*raws: str) -> Sifted:
    """Refused payments."""
    return Sifted(good().taken, [RefusedRow("amount is not a number", raw) for raw in raws])


async def stored(lake: ObjectLake, *batches: Sifted, attempt: int = 1) -> StoredManifest:
    """A pass of these batches, written and finished."""
    writer = lake.writer(PLACE, attempt, StoredParts())
    for batch in batches:
        await writer.write(batch)
    return await writer.finish(FACTS)


def with_flipped_bit(content: bytes, place: int) -> bytes:
    """The same bytes but for one bit."""
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


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

    assert await lake.find(PLACE, None) == written
    assert await lake.open(ManifestReference(written.key, written.sha256)) == written
    assert (written.manifest.rows, written.manifest.quarantined) == (1, 1)


async def test_before_its_manifest_a_pass_is_not_there(lake: ObjectLake) -> None:
    await lake.writer(PLACE, 1, StoredParts()).write(good(1))

    assert await lake.find(PLACE, None) is None


async def test_each_attempt_has_a_manifest_of_its_own_and_the_newest_is_taken_over(lake: ObjectLake) -> None:
    second = await stored(lake, good(1, 2, 3), attempt=2)
    paused = await stored(lake, good(1, 2), attempt=1)

    assert await lake.find(PLACE, None) == second
    assert paused.key != second.key
    hundredth = await stored(lake, good(1), attempt=100)
    assert await lake.find(PLACE, None) == hundredth


async def test_payments_of_a_pass_that_knew_of_other_erasures_are_not_taken_over(lake: ObjectLake) -> None:
    first = await stored(lake, good(1, 2), attempt=1)
    writer = lake.writer(PLACE, 2, StoredParts())
    later = await writer.finish(replace(FACTS, erasures="1 erased"))

    assert await lake.find(PLACE, "") == first
    assert await lake.find(PLACE, "1 erased") == later
    assert await lake.find(PLACE, "2 erased") is None


async def test_a_catalogue_is_taken_over_whoever_was_erased(lake: ObjectLake) -> None:
    place = replace(PLACE, dataset="companies")
    written = await lake.writer(place, 1, StoredParts()).finish(FACTS)

    assert await lake.find(place, "1 erased") == written


async def test_an_attempt_whose_answer_was_lost_stores_its_manifest_again(lake: ObjectLake) -> None:
    assert await stored(lake, good(1)) == await stored(lake, good(1))


async def test_an_attempt_cannot_store_two_manifests(lake: ObjectLake) -> None:
    await stored(lake, attempt=1)

    with pytest.raises(AlreadyExists, match=r"manifest-01\.json' is taken by other content; start a new run"):
        await stored(lake, good(1), attempt=1)


async def test_a_pass_without_rows_has_a_manifest_without_parts(lake: ObjectLake) -> None:
    found = await stored(lake)

    assert (found.manifest.parts, found.manifest.quarantine) == ((), ())


async def test_bytes_that_are_no_manifest_are_not_taken_for_one(
    lake: ObjectLake, object_store: LocalObjectStore
) -> None:
    object_store.put_if_absent("raw/payments/updated_date=2026-03-07/run=run-1/manifest-01.json", b"{}")

    with pytest.raises(DataLoss, match="is no whole manifest; restore it, or start a new run"):
        await lake.find(PLACE, None)


async def test_a_manifest_with_one_changed_bit_is_not_taken_over_nor_opened(lake: ObjectLake, tmp_path: Path) -> None:
    written = await stored(lake, good(1))
    content = (tmp_path / "objects" / written.key).read_bytes()

    for place in range(0, len(content), 7):
        (tmp_path / "objects" / written.key).write_bytes(with_flipped_bit(content, place))
        with pytest.raises(DataLoss):
            await lake.find(PLACE, None)
        with pytest.raises(DataLoss):
            await lake.open(ManifestReference(written.key, written.sha256))


async def test_a_receipt_is_kept_beside_its_manifest_and_again_changes_nothing(
    lake: ObjectLake, object_store: LocalObjectStore
) -> None:
    await lake.keep_receipt(a_receipt())
    await lake.keep_receipt(a_receipt())

    (key,) = [info.key for info in object_store.list("raw/")]
    assert key == "raw/payments/updated_date=2026-03-07/run=run-1/receipt-0.json"
    assert Receipt.from_bytes(object_store.get(key)) == a_receipt()
    with pytest.raises(AlreadyExists):
        await lake.keep_receipt(a_receipt(late=2))


async def test_the_receipt_of_a_recorded_update_is_the_next_generation(
    lake: ObjectLake, object_store: LocalObjectStore
) -> None:
    updated = a_receipt(dataset="companies", update_sequence=2)

    await lake.keep_receipt(updated)
    await lake.keep_receipt(updated.model_copy(update={"update_sequence": None}))

    first, second = (Receipt.from_bytes(object_store.get(info.key)) for info in object_store.list("raw/"))
    assert (first.update_sequence, second.update_sequence) == (None, 2)


async def test_a_receipt_that_a_later_one_has_followed_is_not_written_again(
    lake: ObjectLake, object_store: LocalObjectStore
) -> None:
    first = a_receipt()
    object_store.put_if_absent(receipt_key(first.manifest_key, 1), a_receipt(late=1).to_bytes())

    await lake.keep_receipt(first)

    assert [info.key for info in object_store.list("raw/")] == [receipt_key(first.manifest_key, 1)]


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


async def test_what_no_file_could_hold_is_written_as_json_escapes_it(lake: ObjectLake) -> None:
    raw = '{"id": "a\x00\udcffb",\n "status": "\\ud800"}'
    found = await stored(lake, bad(raw))

    ((row,), _) = await lake.refused_rows(found, START, 1)

    assert row.raw == '{"id": "a\\u0000\\udcffb",\n "status": "\\ud800"}'
    assert json.loads(row.raw) == json.loads(raw, strict=False)


async def test_a_damaged_part_is_not_listed(lake: ObjectLake, tmp_path: Path) -> None:
    found = await stored(lake, bad("1"))
    path = tmp_path / "objects" / found.manifest.quarantine[0].key
    path.write_bytes(with_flipped_bit(path.read_bytes(), 20))

    with pytest.raises(DataLoss, match="SHA-256"):
        await lake.refused_rows(found, START, 1)
