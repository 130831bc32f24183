"""Compares what the warehouse holds after a run with what it must hold."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg

from services.runtime.objects.store import ObjectStore
from tests.crash.database import Database
from tests.crash.expectation import Expectation
from tests.integration.ingest.traces import TABLES, objects_with, rows_with
from tests.integration.warehouse.oracle import Version

VERSIONS = "SELECT * FROM warehouse.payments"
TWO_CURRENT = """
    SELECT count(*) FROM (SELECT FROM warehouse.payments WHERE is_current
        GROUP BY payment_id, company_code HAVING count(*) > 1) AS doubled
"""
# Of all versions but a key's last one, those that do not end where the next one begins.
GAPS = """
    SELECT count(*) FROM (SELECT end_date, is_current, lead(start_date) OVER
        (PARTITION BY payment_id, company_code ORDER BY start_date) AS next FROM warehouse.payments) AS chained
    WHERE end_date IS DISTINCT FROM next OR is_current <> (next IS NULL)
"""
WATERMARK = "SELECT value FROM warehouse.watermarks WHERE dataset = 'payments'"
LEDGER = "SELECT * FROM warehouse.loads WHERE load_id = ANY($1::text[])"
STRANGE_LOADS = """
    SELECT load_id FROM warehouse.loads WHERE load_id NOT IN (SELECT run_id::text FROM ingest.runs)
"""
COMPANIES = "SELECT company_code, company_name FROM warehouse.companies WHERE is_current AND NOT is_retired"
ACCOUNT = "SELECT counts FROM ingest.runs WHERE run_id = $1"
PARTS = ("new", "changed", "unchanged", "late", "quarantined")


@dataclass
class Verdict:
    """What is wrong; nothing when all are empty."""

    lost: int = 0
    duplicates: int = 0
    gaps: int = 0
    problems: list[str] = field(default_factory=list)
    is_stuck: bool = False

    @property
    def is_good(self) -> bool:
        """The warehouse is that of an undisturbed run."""
        return not (self.lost or self.duplicates or self.gaps or self.problems)


async def judge_payments(database: Database, expected: Expectation, runs: list[UUID]) -> Verdict:
    """After a run that was tried under the ids of `runs`, of which the last one succeeded."""
    verdict = await _judge_table(database, expected)
    verdict.problems += await _ledger_problems(database, expected, runs)
    verdict.problems += await _account_problems(database, expected, runs)
    return verdict


async def judge_erasure(database: Database, expected: Expectation, store: ObjectStore) -> Verdict:
    """After a client was erased: nobody who ever was stands anywhere."""
    verdict = await _judge_table(database, expected)
    tables = [row[0] for row in await database.fetch(TABLES)]
    for client in sorted(expected.erased):
        holding = [name for name in tables if (await database.fetch(rows_with(name), f"%{client}%"))[0][0]]
        holding += await asyncio.to_thread(objects_with, store, client)
        verdict.problems += [f"{name} still holds {client}" for name in holding]
    return verdict


def log_problems(folder: Path, clients: Collection[str]) -> list[str]:
    """Of the logs of processes: whatever broke, none may name a client."""
    texts = {log.name: log.read_text(errors="replace") for log in sorted(folder.glob("*.log"))}
    return [f"{name} names {client}" for name, text in texts.items() for client in clients if client in text]


async def _judge_table(database: Database, expected: Expectation) -> Verdict:
    stored = [_version(row) for row in await database.fetch(VERSIONS)]
    wanted = expected.versions()
    verdict = Verdict(
        lost=len(wanted - set(stored)),
        duplicates=len(stored) - len(wanted & set(stored)) + (await database.fetch(TWO_CURRENT))[0][0],
        gaps=(await database.fetch(GAPS))[0][0],
    )
    watermark = next((row["value"] for row in await database.fetch(WATERMARK)), None)
    if watermark != expected.watermark:
        verdict.problems.append(f"the watermark is {watermark}, not {expected.watermark}")
    return verdict


async def judge_companies(database: Database, expected: dict[str, str]) -> Verdict:
    """After a run of companies."""
    stored = [(row["company_code"], row["company_name"]) for row in await database.fetch(COMPANIES)]
    wanted = set(expected.items())
    return Verdict(lost=len(wanted - set(stored)), duplicates=len(stored) - len(wanted & set(stored)))


async def _ledger_problems(database: Database, expected: Expectation, runs: list[UUID]) -> list[str]:
    loads = await database.fetch(LEDGER, [str(run) for run in runs])
    problems = [f"load {row['load_id']} is of no run" for row in await database.fetch(STRANGE_LOADS)]
    # A run that failed after its load was committed, and the one that was made anew, share the work.
    done = Counter({name: sum(load[f"{name}_count"] for load in loads) for name in ("new", "changed", "late")})
    wanted = Counter({name: expected.counts[name] for name in done})
    if done != wanted and not expected.is_mixed:
        problems.append(f"the ledger counts {dict(done)}, not {dict(wanted)}")
    if len({load["load_id"] for load in loads}) != len(loads) or str(runs[-1]) not in {row["load_id"] for row in loads}:
        problems.append("the ledger does not hold the run's load once")
    if any(load["row_count"] > expected.read for load in loads) and not expected.is_mixed:
        problems.append(f"a load has more rows than the {expected.read} that were shown")
    return problems


async def _account_problems(database: Database, expected: Expectation, runs: list[UUID]) -> list[str]:
    counts = json.loads((await database.fetch(ACCOUNT, runs[-1]))[0]["counts"])
    read = expected.read + expected.quarantined
    if counts.get("read") != sum(counts.get(part, 0) for part in PARTS):
        return [f"the run's account does not balance: {counts}"]
    # Made anew after a load that moved the watermark, a run reads a later window.
    if (
        len(runs) == 1
        and not expected.is_mixed
        and (counts["read"], counts["quarantined"]) != (read, expected.quarantined)
    ):
        return [f"the run's account is {counts}, though {read} rows were shown, {expected.quarantined} of them bad"]
    return []


def _version(row: asyncpg.Record) -> Version:
    return Version(
        key=(str(row["payment_id"]), str(row["company_code"])),
        attributes=(row["payment_at"], row["status"], row["amount"], row["external_client_id"]),
        created_at=row["created_at"],
        start=row["start_date"],
        end=row["end_date"],
    )
