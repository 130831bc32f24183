"""What can be seen of runs: the records, the watermark, the refused rows."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from services.ingest.domain.runs import Pipeline, Run
from services.ingest.domain.sifting import RefusedRow
from services.ingest.domain.window import WindowRules, since_day
from services.ingest.workflow.erasure_ports import ErasureRecords
from services.ingest.workflow.ports import Lake, RunTable, Warehouse
from services.ingest.workflow.saving import place_of, saved_output
from services.ingest.workflow.values import QuarantinePosition, RunCursor, StoredManifest
from services.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class WatermarkReport:
    """Where the warehouse stands, and which date the next pass would ask the source for."""

    payments: datetime | None
    companies: datetime | None
    next_since: date
    overlap: timedelta


class Runs:
    """The records of runs."""

    def __init__(self, runs: RunTable) -> None:
        self._runs = runs

    async def get(self, run_id: UUID) -> Run:
        """One run, or NotFound."""
        return await self._runs.get(run_id)

    async def page(
        self, pipeline: Pipeline | None, limit: int, after: RunCursor | None
    ) -> tuple[list[Run], RunCursor | None]:
        """Runs, newest first, and where the next page begins."""
        runs = await self._runs.newest(pipeline, limit + 1, after)
        if len(runs) <= limit:
            return runs, None
        last = runs[limit - 1]
        return runs[:limit], RunCursor(last.created_at, last.run_id)


class Watermark:
    """Where the next pass would start."""

    def __init__(self, warehouse: Warehouse, rules: WindowRules, clock: Clock) -> None:
        self._warehouse = warehouse
        self._rules = rules
        self._clock = clock

    async def report(self) -> WatermarkReport:
        """Asks the warehouse."""
        marks = await self._warehouse.watermarks()
        since = since_day(marks.payments, self._clock(), self._rules)
        return WatermarkReport(marks.payments, marks.companies, since, self._rules.overlap)


class Quarantine:
    """Rows that runs refused."""

    def __init__(self, runs: RunTable, lake: Lake, records: ErasureRecords) -> None:
        self._runs = runs
        self._lake = lake
        self._records = records

    async def page(
        self, run_id: UUID, start: QuarantinePosition, limit: int
    ) -> tuple[list[RefusedRow], QuarantinePosition | None]:
        """Rows from a place on, and the next place; none while the run's pass has not come to its end."""
        stored = await self.manifest_of(await self._runs.get(run_id))
        return ([], None) if stored is None else await self._lake.refused_rows(stored, start, limit)

    async def reasons(self, run_id: UUID) -> dict[str, int]:
        """How many rows were refused for which reason, most frequent first."""
        stored = await self.manifest_of(await self._runs.get(run_id))
        return {} if stored is None else await self._lake.reasons(stored)

    async def manifest_of(self, run: Run) -> StoredManifest | None:
        """The one that counts; for a run whose pass was not accepted, or not yet, the newest one it left."""
        outputs = run.outputs()
        saved = saved_output(outputs)
        if saved is not None:
            return await self._lake.open(saved.manifest)
        place = place_of(run, outputs)
        if place is None:
            return None
        return await self._lake.find(place, (await self._records.erased_clients()).edition)
