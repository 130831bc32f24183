"""Reconciliation: what a full pass over the source did not show is told, never deleted."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Protocol

import pyarrow as pa
import structlog

from services.contracts.lake import LakeManifest
from services.runtime.clock import Clock
from services.runtime.errors import NotFound
from services.warehouse.domain.fields import checked_load_id, checked_page_size
from services.warehouse.domain.loads import Dataset
from services.warehouse.domain.paging import key_of_token, page_token
from services.warehouse.domain.reconciliation import Comparison, MissingPayment, MissingReport, NotAPass, Start
from services.warehouse.metrics import MISSING
from services.warehouse.queries import Page, PageRequest
from services.warehouse.refusals import refusals
from services.warehouse.workflow import LoadStore, LoadTransaction, transact_under

# A pass asks the source for what was updated after a day, which may or may not mean that day itself.
ONE_DAY = timedelta(days=1)

log = structlog.get_logger(__name__)


class PassLake(Protocol):
    """The passes as they stand in the lake."""

    async def manifest(self, key: str, sha256: str, dataset: Dataset) -> LakeManifest:
        """The manifest, checked; DataLoss, FailedPrecondition or NotFound, naming the key, otherwise."""

    def keys(self, manifest: LakeManifest) -> AsyncGenerator[pa.RecordBatch, None]:
        """payment_id and company_code of every row that was read, refused ones too as far as they tell them."""


class ReportReads(Protocol):
    """What is kept of comparisons."""

    async def reconciliation_start(self) -> Start:
        """As it is now."""

    async def missing_report(self, load_id: str) -> MissingReport | None:
        """The report on the pass of a load."""

    async def missing_payments(self, load_id: str, after: tuple[str, str], limit: int) -> list[MissingPayment]:
        """Of a report, those beyond a key, by key."""


class Reconciliations:
    """Compares passes with what stands, and keeps what came of it. Every call can be repeated."""

    def __init__(self, store: LoadStore, reads: ReportReads, lake: PassLake, clock: Clock) -> None:
        self._store = store
        self._reads = reads
        self._lake = lake
        self._clock = clock

    async def start(self) -> Start:
        """What a full pass has to know before it begins."""
        return await self._reads.reconciliation_start()

    async def report_missing(self, asked: Comparison) -> MissingReport:
        """Compares; again the same, it gives the recorded answer."""
        with refusals():
            asked.check()
            report = await transact_under(
                self._store, asked.leader_epoch, lambda transaction: self._compare(transaction, asked)
            )
        MISSING.set(report.missing)
        log.info("pass compared", load_id=report.load_id, compared=report.compared, missing=report.missing)
        return report

    async def missing_payments(self, load_id: str, page: PageRequest) -> tuple[MissingReport, Page[MissingPayment]]:
        """A report, and a page of its payments by key; NotFound without one."""
        with refusals():
            checked_load_id(load_id)
            size = checked_page_size(page.size)
            payment_id, company_code = key_of_token(page.token, 2) if page.token else ("", "")
        report = await self._reads.missing_report(load_id)
        if report is None:
            raise NotFound(f"no report of load {load_id!r}; give the id of an ended run of reconcile, of the last year")
        rows = await self._reads.missing_payments(load_id, (payment_id, company_code), size + 1)
        token = page_token([rows[size - 1].payment_id, rows[size - 1].company_code]) if len(rows) > size else ""
        return report, Page(rows[:size], token)

    async def _compare(self, transaction: LoadTransaction, asked: Comparison) -> MissingReport:
        if known := await transaction.find_report(asked.load_id):
            return known.as_answer_to(asked)
        load = await transaction.find(asked.load_id)
        if load is None:
            raise NotFound(f"no load {asked.load_id!r} in the ledger; load the pass first")
        manifest = await self._lake.manifest(load.manifest_key, load.manifest_sha256, "payments")
        if manifest.since is None:
            raise NotAPass(f"load {asked.load_id!r} is of rows that were chosen, not of a pass over the source")
        keys, now = self._lake.keys(manifest), self._clock()
        return await transaction.report_missing(asked, manifest.since + ONE_DAY, keys, now)
