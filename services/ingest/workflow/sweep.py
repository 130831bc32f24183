"""Objects that no manifest in force names are removed a while after their run has ended.

A former leader that was paused at any line harms nothing: it deletes only what it listed before it made sure, under the
leader's fence, that the run had ended and that no later attempt goes on from its parts. Whoever writes into the run's
folder after that takes names that were never used.
"""

from datetime import timedelta

import structlog

from services.ingest.domain.runs import Run
from services.ingest.workflow import metrics
from services.ingest.workflow.erasure_ports import ErasureRecords
from services.ingest.workflow.ports import Lake, SweepTable
from services.ingest.workflow.saving import place_of, saved_output
from services.runtime.clock import Clock
from services.runtime.errors import DataLoss, NotFound

# Of one pass; the rest is swept by the next.
RUNS_A_PASS = 500

log = structlog.get_logger(__name__)


class Sweep:
    """Sweeps runs that ended longer than `grace` ago, the oldest first."""

    def __init__(self, table: SweepTable, lake: Lake, records: ErasureRecords, grace: timedelta, clock: Clock) -> None:
        self._table = table
        self._lake = lake
        self._records = records
        self._grace = grace
        self._clock = clock

    async def run(self) -> None:
        """One pass. A run whose manifest is gone or damaged is told and left as it is."""
        for run in await self._table.due(self._clock() - self._grace, RUNS_A_PASS):
            try:
                await self._sweep(run)
            except (DataLoss, NotFound) as error:
                log.warning("run not swept", run_id=str(run.run_id), problem=error.message)

    async def _sweep(self, run: Run) -> None:
        place = place_of(run, run.outputs())
        objects = [] if place is None else await self._lake.objects(place)
        released = await self._table.release(run.run_id, self._clock() - self._grace)
        if released is None:
            return
        saved = saved_output(released.outputs())
        erased = await self._records.erased_clients()
        swept = await self._lake.remove_orphans(objects, saved.manifest if saved else None, erased.edition)
        await self._table.note_swept(released)
        metrics.SWEPT_OBJECTS.inc(swept.objects)
        metrics.SWEPT_BYTES.inc(swept.size)
        if swept.objects:
            log.info("run swept", run_id=str(run.run_id), objects=swept.objects, bytes=swept.size)
