"""`python -m services.warehouse.rebuild [--json] [--skip-missing]`: the warehouse out of the lake, row for row.

Replays every load that a receipt tells of into an empty, migrated database, in the ledger's order, under the load's own
id and times. Takes the settings of the warehouse, WAREHOUSE_…, and its role. Interrupted, it goes on where it stopped
when it is started again. Runs of ingest are no part of the lake: ingest begins with none, at the watermark.
"""

import argparse
import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.receipt import Receipt
from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.errors import FailedPrecondition, ServiceError
from services.runtime.objects.opening import open_object_store
from services.runtime.settings import load_settings
from services.warehouse.adapters.erasure_records import enter_erasures, read_erasures
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.adapters.reads import PostgresReads
from services.warehouse.adapters.receipts import read_receipts
from services.warehouse.domain.replay import DoubtfulOrder, Entry, in_order, missing_places
from services.warehouse.migrations.history import head_revision
from services.warehouse.rebuilding import Outcome, Rebuilding
from services.warehouse.settings import WarehouseSettings


@dataclass
class Report:
    """What a rebuild did. Places as in the ledger; `differing`: loads whose rows came to other counts than at first."""

    applied: int = 0
    known: int = 0
    rows: int = 0
    missing: list[int] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    seconds: float = 0

    def add(self, entry: Entry, outcome: Outcome) -> None:
        """Counts an entry."""
        self.known += outcome is Outcome.KNOWN
        self.applied += outcome is not Outcome.KNOWN
        if outcome is not Outcome.KNOWN and not entry.is_update:
            receipt = entry.receipt
            self.rows += receipt.new + receipt.changed + receipt.unchanged + receipt.late
        if outcome is Outcome.DIFFERS:
            self.differing.append(entry.receipt.load_id)


async def rebuild(settings: WarehouseSettings, *, skip_missing: bool = False) -> Report:
    """Replays the lake, telling each entry on stderr. ServiceError, saying what to do, when it cannot go on."""
    started, timeout = time.perf_counter(), timedelta(seconds=settings.load_timeout_seconds)
    store = open_object_store(settings.object_store_url, settings.object_store_endpoint_url)
    async with AsyncExitStack() as stack:
        database = open_database(settings.database_url.get_secret_value(), "rebuild", pool_size=2)
        engine = await stack.enter_async_context(database)
        await _require_migrated(engine)
        entries = _ordered(await asyncio.to_thread(read_receipts, store), skip_missing=skip_missing)
        rebuilding = Rebuilding(PostgresLoadStore(engine, timeout), ParquetLake(store), skip_missing)
        report = Report(missing=missing_places(entries))
        for entry in entries:
            outcome = await rebuilding.apply(entry)
            report.add(entry, outcome)
            _tell(entry, entries[-1].place, outcome)
        await rebuilding.require_end(entries[-1].place if entries else 0)
        salt, records = await asyncio.to_thread(read_erasures, store)
        if records:
            await enter_erasures(engine, salt, records, utc_now())
    report.seconds = round(time.perf_counter() - started, 3)
    return report


async def _require_migrated(engine: AsyncEngine) -> None:
    await PostgresReads(engine, head_revision(), timedelta(seconds=30)).require_schema()


def _ordered(receipts: list[Receipt], *, skip_missing: bool) -> list[Entry]:
    try:
        return in_order(receipts, skip_missing=skip_missing)
    except DoubtfulOrder as error:
        raise FailedPrecondition(str(error), reason="DOUBTFUL_ORDER") from error


def _tell(entry: Entry, last: int, outcome: Outcome) -> None:
    what = "update of companies" if entry.is_update else entry.receipt.dataset
    print(f"{entry.place:>6}/{last} {what}, load {entry.receipt.load_id}: {outcome}", file=sys.stderr, flush=True)


def _summary(report: Report) -> str:
    done = f"applied {report.applied} entries with {report.rows} rows in {report.seconds:.1f} s"
    lines = [f"{done}; {report.known} stood there already"]
    if report.missing:
        lines.append(f"missing in the lake, and so in the warehouse: the entries {report.missing}")
    if report.differing:
        lines.append(
            f"rows came to other counts than at first in {report.differing}: rows of these loads, or of others that "
            "they met, were erased since, or code of another version applied them"
        )
    return "\n".join(lines)


def main() -> int:
    """The exit code: 0 done, 1 not possible, 2 wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m services.warehouse.rebuild", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--skip-missing", action="store_true", help="go on without receipts that the lake lacks")
    arguments = parser.parse_args()
    settings = load_settings(WarehouseSettings)
    try:
        report = asyncio.run(rebuild(settings, skip_missing=arguments.skip_missing))
    except ServiceError as error:
        print(f"rebuild: {error.message}", file=sys.stderr)
        return 1
    print(json.dumps(asdict(report), indent=1) if arguments.json else _summary(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
