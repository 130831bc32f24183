"""Receipts of loads that were committed though their run failed or was cancelled, and never came to write them."""

import structlog

from services.ingest.domain.runs import Run
from services.ingest.workflow.ports import Lake, SweepTable, Warehouse
from services.runtime.errors import AlreadyExists

# Of one pass.
RUNS_A_PASS = 500

log = structlog.get_logger(__name__)


class LostReceipts:
    """Asks the ledger for the loads of such runs, each day until they are swept."""

    def __init__(self, table: SweepTable, lake: Lake, warehouse: Warehouse) -> None:
        self._table = table
        self._lake = lake
        self._warehouse = warehouse

    async def run(self) -> None:
        """One pass. A load of which the lake tells something else is told in the log and left as it is."""
        for run in await self._table.unsuccessful(RUNS_A_PASS):
            try:
                await self._keep(run)
            except AlreadyExists as error:
                log.warning("receipt differs from the ledger", run_id=str(run.run_id), problem=error.message)

    async def _keep(self, run: Run) -> None:
        load = await self._warehouse.find_load(str(run.run_id))
        if load is not None:
            await self._lake.keep_receipt(load.receipt)
