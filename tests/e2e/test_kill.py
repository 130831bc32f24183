"""SIGKILL of each process in turn while a run works: the run ends by itself, and the warehouse is as if undisturbed."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from afin.ingest.v1 import ingest_pb2
from demo.dataset import Dataset, read_dataset
from demo.main_job.pipelines import run_pipeline
from demo.source.store import create_schema, load
from demo.stack.options import StackOptions, free_ports
from demo.stack.stack import Stack, open_databases, open_services

# Whom to kill, and in which step of the run of its round.
KILLS = (
    ("ingest", "save_payments_to_bucket"),
    ("warehouse", "save_payments_to_db"),
    ("ingest", "save_payments_to_db"),
    ("indexer", "create_payments_index"),
    ("ingest", "create_payments_index"),
    ("recommender", "validate_payments_index"),
    ("indexer", "validate_payments_index"),
    ("source", "save_payments_to_bucket"),
)
# The first rounds hold too few payments to beat popularity by.
PUBLISH_ANYTHING = {
    "INDEXER_MIN_GAIN": "-1",
    "INDEXER_QUALITY_TOLERANCE": "1",
    "INDEXER_MAX_LOSS": "1",
    "INDEXER_MIN_OVERLAP": "0",
}
VERSIONS = """
    SELECT payment_id, company_code, payment_at, status, amount, external_client_id, created_at,
           start_date, end_date, is_current
    FROM warehouse.payments ORDER BY payment_id, company_code, start_date
"""
WATERMARK = "SELECT dataset, value FROM warehouse.watermarks WHERE dataset = 'payments'"


@dataclass
class Killer:
    """Watches a run and kills a process, once, when the named step works."""

    stack: Stack
    process: str
    step: str
    done: bool = False

    def __call__(self, run: ingest_pb2.Run) -> None:
        working = {step.name for step in run.steps if step.state == ingest_pb2.STEP_STATE_RUNNING}
        passed = {step.name for step in run.steps if step.state == ingest_pb2.STEP_STATE_SUCCEEDED}
        if not self.done and self.step in working | passed:
            self.done = True
            os.kill(self.stack.processes[self.process].pid, signal.SIGKILL)


def _ignore(_: ingest_pb2.Run) -> None:
    """Watches nothing."""


@pytest.mark.timeout(900)
async def test_killing_each_process_in_turn_leaves_the_warehouse_of_an_undisturbed_run(
    tmp_path: Path, small_data: Path
) -> None:
    rounds = _rounds(read_dataset(small_data), len(KILLS))

    async def kill_one(stack: Stack, number: int) -> None:
        killer = Killer(stack, *KILLS[number])
        await run_pipeline(stack.address("ingest"), ingest_pb2.PIPELINE_RECOMMENDATIONS, killer)
        assert killer.done

    async def undisturbed(stack: Stack, _: int) -> None:
        await run_pipeline(stack.address("ingest"), ingest_pb2.PIPELINE_RECOMMENDATIONS, _ignore)

    killed = await _warehouse_after(tmp_path / "killed", rounds, kill_one)
    expected = await _warehouse_after(tmp_path / "undisturbed", rounds, undisturbed)

    assert len(expected) > rounds[-1].payments.num_rows  # every payment, and the watermark
    assert killed == expected


def _rounds(dataset: Dataset, count: int) -> list[Dataset]:
    """The dataset as its source would have shown it at `count` moments, the last one whole."""
    times = dataset.payments["updated_at"].cast("int64")
    shares = [0.4 + 0.6 * number / count for number in range(1, count + 1)]
    return [_as_of(dataset, pc.quantile(times, q=share, interpolation="lower")[0]) for share in shares]


def _as_of(dataset: Dataset, moment: pa.Scalar) -> Dataset:
    """What was created by then; what was changed later still stands there as it was created, pending."""
    payments = dataset.payments
    created, updated = payments["created_at"], payments["updated_at"]
    later = pc.greater(updated.cast("int64"), moment)
    shown = {
        "updated_at": pc.if_else(later, created, updated),
        "status": pc.if_else(later, "pending", payments["status"]),
    }
    for name, column in shown.items():
        payments = payments.set_column(payments.schema.get_field_index(name), payments.schema.field(name), column)
    return replace(dataset, payments=payments.filter(pc.less_equal(created.cast("int64"), moment)))


async def _warehouse_after(
    state: Path, rounds: list[Dataset], run: Callable[[Stack, int], Awaitable[None]]
) -> list[Any]:
    async with _stack(state, rounds[0]) as stack:
        await run_pipeline(stack.address("ingest"), ingest_pb2.PIPELINE_COMPANIES, _ignore)
        for number, dataset in enumerate(rounds):
            await _fill(stack.databases.source, dataset)
            await run(stack, number)
        connection = await asyncpg.connect(stack.databases.owner)
        try:
            return [*await connection.fetch(VERSIONS), *await connection.fetch(WATERMARK)]
        finally:
            await connection.close()


@asynccontextmanager
async def _stack(state: Path, first: Dataset) -> AsyncIterator[Stack]:
    first_day = pc.min(first.payments["updated_at"]).as_py().date()
    options = StackOptions(state=state, ports=free_ports(), first_day=first_day, settings=PUBLISH_ANYTHING)
    async with open_databases(options, print) as databases:
        await _fill(databases.source, first)
        async with open_services(options, databases, print) as stack:
            yield stack


async def _fill(url: str, dataset: Dataset) -> None:
    connection = await asyncpg.connect(url)
    try:
        await create_schema(connection)
        await load(connection, dataset)
    finally:
        await connection.close()
