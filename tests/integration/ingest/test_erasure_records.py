"""Who was erased is known from the lake alone, and whoever damages that knowledge is told so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.contracts.erasures import SALT_KEY, ErasureRecord, record_key
from services.ingest.adapters.erasure_records import ObjectErasureRecords
from services.runtime.errors import DataLoss
from services.runtime.objects.local import LocalObjectStore

DIGEST, OTHER = "ab" * 32, "cd" * 32
UNTIL = datetime(2026, 3, 10, tzinfo=UTC)


def of(erasure_id: str, digest: str = DIGEST, until: datetime = UNTIL) -> ErasureRecord:
    return ErasureRecord(erasure_id=erasure_id, client_digest=digest, until=until)


async def test_all_replicas_have_one_salt(object_store: LocalObjectStore) -> None:
    salts = {await ObjectErasureRecords(object_store).salt() for _ in range(3)}

    assert [len(salt) for salt in salts] == [32]


async def test_before_the_first_erasure_nothing_is_written(object_store: LocalObjectStore) -> None:
    assert (await ObjectErasureRecords(object_store).erased_clients()).until == {}
    assert list(object_store.list("")) == []


async def test_of_two_erasures_of_a_client_the_later_one_counts(object_store: LocalObjectStore) -> None:
    records, reader = ObjectErasureRecords(object_store), ObjectErasureRecords(object_store)
    salt = await records.salt()
    await records.keep(of("b"))
    await records.keep(of("b"))
    assert (await reader.erased_clients()).until == {bytes.fromhex(DIGEST): UNTIL}
    await records.keep(of("a", until=UNTIL + timedelta(days=1)))
    await records.keep(of("c", OTHER))

    erased = await reader.erased_clients()

    assert erased.until == {bytes.fromhex(DIGEST): UNTIL + timedelta(days=1), bytes.fromhex(OTHER): UNTIL}
    assert erased.salt == salt


@pytest.mark.parametrize("key", [SALT_KEY, record_key("b")])
async def test_what_is_damaged_is_named(object_store: LocalObjectStore, tmp_path: Path, key: str) -> None:
    await ObjectErasureRecords(object_store).salt()
    await ObjectErasureRecords(object_store).keep(of("b"))
    path = tmp_path / "objects" / key
    path.write_bytes(path.read_bytes().replace(b"a", b"b"))

    with pytest.raises(DataLoss, match=key):
        await ObjectErasureRecords(object_store).erased_clients()


async def test_a_lost_salt_is_not_made_anew(object_store: LocalObjectStore) -> None:
    records = ObjectErasureRecords(object_store)
    await records.salt()
    await records.keep(of("b"))
    object_store.delete(SALT_KEY)

    with pytest.raises(DataLoss, match="restore it"):
        await records.salt()
