"""Writes payments and catalogues into the lake as ingest does: parts with page checksums, the manifest last."""

import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.contracts.lake import (
    COMPANIES_SCHEMA,
    PAYMENTS_SCHEMA,
    QUARANTINE_SCHEMA,
    Dataset,
    LakeManifest,
    Part,
    manifest_key,
    part_key,
    run_folder,
)
from services.runtime.checksums import sha256_of
from services.runtime.objects.store import ObjectStore
from services.warehouse.domain.loads import LoadRequest
from tests.integration.warehouse.oracle import EPOCH, Observation


@dataclass(frozen=True)
class Company:
    """One row of a catalogue."""

    company_code: str
    company_id: int = 1
    company_name: str = "Name"
    category_id: int | None = 7
    category_name: str | None = "Category"
    is_top_biller: bool | None = False


def payments_table(observations: Sequence[Observation]) -> pa.Table:
    """In the lake's schema, in the order in which they were read."""
    rows = [_payment(observation) | {"position": place} for place, observation in enumerate(observations)]
    return pa.Table.from_pylist(rows, schema=PAYMENTS_SCHEMA)


async def record_batches(observations: Sequence[Observation]) -> AsyncGenerator[pa.RecordBatch, None]:
    """As the lake hands them out, in small batches."""
    for batch in payments_table(observations).to_batches(max_chunksize=4):
        yield batch


def companies_table(companies: Sequence[Company]) -> pa.Table:
    """In the lake's schema, in the order in which they were read."""
    rows = [asdict(company) | {"position": place} for place, company in enumerate(companies)]
    return pa.Table.from_pylist(rows, schema=COMPANIES_SCHEMA)


def put_payments(
    store: ObjectStore, load_id: str, observations: Sequence[Observation], *, watermark: datetime | None = None
) -> LoadRequest:
    """One part, its manifest, and the request that loads it."""
    key, sha256 = put_manifest(store, load_id, "payments", [payments_table(observations)])
    return LoadRequest(load_id, key, sha256, watermark)


def put_pass(
    store: ObjectStore, load_id: str, observations: Sequence[Observation], *, since: date, refused: Sequence[str] = ()
) -> LoadRequest:
    """A pass over the source since a day: rows in two parts, the texts of refused ones, and the request that loads."""
    half = len(observations) // 2
    tables = [payments_table(some) for some in (observations[:half], observations[half:]) if some]
    bad = [pa.Table.from_pylist([{"reason": "bad", "raw": raw} for raw in refused], schema=QUARANTINE_SCHEMA)]
    key, sha256 = put_manifest(store, load_id, "payments", tables, since=since, quarantine=bad if refused else ())
    return LoadRequest(load_id, key, sha256)


def put_companies(
    store: ObjectStore,
    load_id: str,
    companies: Sequence[Company],
    *,
    source_time: datetime = EPOCH,
    refused: int = 0,
) -> LoadRequest:
    """One part, its manifest, and the request that loads it. `refused`: rows that stand in quarantine."""
    tables = [companies_table(companies)]
    key, sha256 = put_manifest(store, load_id, "companies", tables, source_time=source_time, refused=refused)
    return LoadRequest(load_id, key, sha256)


def put_manifest(
    store: ObjectStore,
    run_id: str,
    dataset: Dataset,
    tables: Sequence[pa.Table],
    *,
    source_time: datetime = EPOCH,
    refused: int = 0,
    since: date | None = None,
    quarantine: Sequence[pa.Table] = (),
) -> tuple[str, str]:
    """A part for each table, then the manifest: its key and SHA-256. `refused`: rows of a part that is not there."""
    folder = run_folder("raw", dataset, EPOCH.date(), run_id)
    parts = tuple(_put_part(store, part_key(folder, 1, number), table) for number, table in enumerate(tables))
    bad_folder = run_folder("quarantine", dataset, EPOCH.date(), run_id)
    bad = [_put_part(store, part_key(bad_folder, 1, number), table) for number, table in enumerate(quarantine)]
    absent = [Part(key="quarantine/part", rows=refused, size=1, sha256="0" * 64)] if refused else []
    manifest = LakeManifest(
        dataset=dataset,
        run_id=run_id,
        code_version="test",
        since=since,
        source_time=source_time,
        newest_updated_at=None,
        parts=parts,
        quarantine=(*bad, *absent),
    )
    key = manifest_key(folder, 1)
    assert store.put_if_absent(key, manifest.to_bytes())
    return key, sha256_of(manifest.to_bytes())


def _put_part(store: ObjectStore, key: str, table: pa.Table) -> Part:
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd", write_page_checksum=True)
    assert store.put_if_absent(key, content.getvalue())
    return Part(key=key, rows=table.num_rows, size=len(content.getvalue()), sha256=sha256_of(content.getvalue()))


def _payment(observation: Observation) -> dict[str, Any]:
    return asdict(observation) | {"created_at": observation.created_at}
