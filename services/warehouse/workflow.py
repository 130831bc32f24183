"""Loads: manifest in, one transaction, ledger entry out. Whatever dies on the way, all of it happened or nothing."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Protocol, TypeVar

import pyarrow as pa

from services.contracts.lake import LakeManifest, latest
from services.runtime.clock import Clock
from services.runtime.errors import InvalidArgument, NotFound
from services.runtime.failpoints import Failpoint, passing
from services.runtime.objects.store import checked_key
from services.runtime.tracing.spans import span
from services.warehouse.domain.erasure import Erased, ErasureRequest
from services.warehouse.domain.fields import checked_epoch, checked_load_id
from services.warehouse.domain.loads import (
    CatalogueSizes,
    Dataset,
    Load,
    LoadCounts,
    LoadRequest,
    require_latest_leader,
    require_newest_catalogue,
    require_past_source_time,
    require_whole_catalogue,
)
from services.warehouse.domain.reconciliation import Comparison, MissingReport
from services.warehouse.metrics import WATERMARK, watched_load
from services.warehouse.refusals import refusals

Result = TypeVar("Result")


class Lake(Protocol):
    """Where manifests and parts lie. No byte is handed out before its checksum agreed."""

    async def manifest(self, key: str, sha256: str, dataset: Dataset) -> LakeManifest:
        """The manifest, checked; DataLoss, FailedPrecondition or NotFound, naming the key, otherwise."""

    def batches(self, manifest: LakeManifest) -> AsyncGenerator[pa.RecordBatch, None]:
        """The rows of all parts, in order, in the dataset's schema."""


class LoadTransaction(Protocol):
    """One transaction, alone in the warehouse: loads wait for each other."""

    async def latest_leader(self, epoch: int) -> int:
        """The newest epoch of a leader of ingest, `epoch` included, which is remembered."""

    async def find(self, load_id: str) -> Load | None:
        """The ledger's entry."""

    async def stage(self, dataset: Dataset, batches: AsyncGenerator[pa.RecordBatch, None]) -> None:
        """Takes rows in, to be merged, and closes `batches`; memory does not grow with their number."""

    async def merge_payments(self, load_id: str, recorded_at: datetime) -> LoadCounts:
        """Applies the staged payments to their history."""

    async def catalogue_sizes(self) -> CatalogueSizes:
        """The staged catalogue beside the one in place."""

    async def newest_catalogue(self) -> datetime | None:
        """The source time of the newest catalogue that was loaded."""

    async def merge_companies(
        self, load_id: str, source_time: datetime, recorded_at: datetime, *, retires: bool
    ) -> LoadCounts:
        """Applies the staged catalogue as of `source_time`; `retires`: companies that it does not list are retired."""

    async def watermark(self, dataset: Dataset) -> datetime | None:
        """As it stands."""

    async def next_sequence(self) -> int:
        """The place in the ledger's order of what is entered next."""

    async def record(self, load: Load) -> None:
        """Enters a load in the ledger."""

    async def record_update(self, load_id: str, sequence: int) -> None:
        """Notes in the ledger at which place the update of a catalogue followed its load."""

    async def advance_watermark(self, dataset: Dataset, to: datetime, load_id: str) -> datetime:
        """Moves it forward, never back; where it stands then. The load must be in the ledger."""

    async def find_report(self, load_id: str) -> MissingReport | None:
        """What a comparison with the pass of a load found."""

    async def report_missing(
        self, asked: Comparison, first_day: date, keys: AsyncGenerator[pa.RecordBatch, None], now: datetime
    ) -> MissingReport:
        """Compares current payments updated since a day with the keys of a pass, and keeps which are not in it."""

    async def erase_client(self, request: ErasureRequest, erased_at: datetime) -> Erased:
        """Removes a client's observations, and enters what was removed."""

    async def replace_manifest(self, replacement: LoadRequest) -> bool:
        """Has an entry of the ledger name another manifest; False when there is none of payments with this id."""


class LoadStore(Protocol):
    """Opens transactions."""

    async def transact(self, work: Callable[[LoadTransaction], Awaitable[Result]]) -> Result:
        """Runs `work`, and all of it again when the database asks for that; commits, or undoes everything."""


async def transact_under(
    store: LoadStore, leader_epoch: int, work: Callable[[LoadTransaction], Awaitable[Result]]
) -> Result:
    """`work` in a transaction; Fenced when it is asked for under a leader that another one has followed."""

    async def fenced(transaction: LoadTransaction) -> Result:
        if leader_epoch:
            require_latest_leader(leader_epoch, await transaction.latest_leader(leader_epoch))
        return await work(transaction)

    return await store.transact(fenced)


class Loads:
    """Applies loads, and tells of each in log and metrics."""

    def __init__(self, store: LoadStore, lake: Lake, min_catalogue_share: float, clock: Clock) -> None:
        self._store = store
        self._lake = lake
        self._min_catalogue_share = min_catalogue_share
        self._clock = clock

    async def announce_leader(self, epoch: int) -> None:
        """Refuses writes of earlier leaders from now on; waits for the one that is under way."""

        async def nothing_more(_: LoadTransaction) -> None:
            """The announcement is all."""

        with refusals():
            await transact_under(self._store, checked_epoch(epoch), nothing_more)

    async def load_payments(self, request: LoadRequest) -> Load:
        """Merges payments into their history, and moves the watermark with them. A replay gives the recorded answer."""
        return await self._load(request, "payments", self._apply_payments)

    async def load_companies(self, request: LoadRequest) -> Load:
        """Replaces the catalogue; what it does not list is retired. A replay gives the recorded answer."""
        return await self._load(request, "companies", self._apply_companies)

    async def record_companies_update(self, load_id: str, leader_epoch: int = 0) -> tuple[datetime, Load]:
        """Moves the watermark of the companies to a committed load's source time: where it stands, and the load."""

        async def record(transaction: LoadTransaction) -> tuple[datetime, Load]:
            load = await transaction.find(load_id)
            if load is None:
                raise NotFound(f"no load {load_id!r} in the ledger; load the companies first")
            if load.dataset != "companies":
                raise InvalidArgument("load_id", "is a load of payments; give one of companies")
            if load.update_sequence is None:
                sequence = await transaction.next_sequence()
                await transaction.record_update(load_id, sequence)
                load = replace(load, update_sequence=sequence)
            return await transaction.advance_watermark("companies", load.source_time, load_id), load

        with refusals():
            checked_load_id(load_id)
            watermark, load = await transact_under(self._store, checked_epoch(leader_epoch), record)
        WATERMARK.labels("companies").set(watermark.timestamp())
        return watermark, load

    async def _load(self, request: LoadRequest, dataset: Dataset, apply: "Apply") -> Load:
        with watched_load(dataset) as report, refusals():
            request.check(self._clock())
            require_object_key(request.manifest_key)

            async def work(transaction: LoadTransaction) -> Load:
                if known := await transaction.find(request.load_id):
                    return request.recorded_answer(known)
                passing(Failpoint.LOAD_BEGUN)
                manifest = await self._lake.manifest(request.manifest_key, request.manifest_sha256, dataset)
                load = await apply(transaction, request, manifest)
                load = replace(load, sequence=await transaction.next_sequence())
                await transaction.record(load)
                if request.advance_watermark_to:
                    await transaction.advance_watermark(dataset, request.advance_watermark_to, request.load_id)
                passing(Failpoint.BEFORE_COMMIT)
                return load

            load = await transact_under(self._store, request.leader_epoch, work)
            passing(Failpoint.AFTER_COMMIT)
            report(load)
            return load

    async def _apply_payments(self, transaction: LoadTransaction, request: LoadRequest, manifest: LakeManifest) -> Load:
        now = self._clock()
        with span("stage"):
            await transaction.stage("payments", self._lake.batches(manifest))
        passing(Failpoint.LOAD_STAGED)
        with span("merge"):
            counts = await transaction.merge_payments(request.load_id, now)
        passing(Failpoint.LOAD_MERGED)
        load = _entry(request, manifest, counts, now)
        watermark = latest(await transaction.watermark("payments"), request.advance_watermark_to)
        return replace(load, watermark=watermark)

    async def _apply_companies(
        self, transaction: LoadTransaction, request: LoadRequest, manifest: LakeManifest
    ) -> Load:
        now = self._clock()
        require_past_source_time(manifest.source_time, now)
        require_newest_catalogue(manifest.source_time, await transaction.newest_catalogue())
        with span("stage"):
            await transaction.stage("companies", self._lake.batches(manifest))
        passing(Failpoint.LOAD_STAGED)
        sizes = replace(await transaction.catalogue_sizes(), refused=manifest.quarantined)
        require_whole_catalogue(sizes, 0 if request.accept_fewer_companies else self._min_catalogue_share)
        with span("merge"):
            counts = await transaction.merge_companies(
                request.load_id, manifest.source_time, now, retires=manifest.is_whole
            )
        passing(Failpoint.LOAD_MERGED)
        load = _entry(request, manifest, counts, now)
        return replace(load, watermark=await transaction.watermark("companies"))


Apply = Callable[[LoadTransaction, LoadRequest, LakeManifest], Awaitable[Load]]


def _entry(request: LoadRequest, manifest: LakeManifest, counts: LoadCounts, now: datetime) -> Load:
    return Load(
        load_id=request.load_id,
        dataset=manifest.dataset,
        manifest_key=request.manifest_key,
        manifest_sha256=request.manifest_sha256,
        source_time=manifest.source_time,
        counts=counts,
        watermark=None,
        committed_at=now,
    )


def require_object_key(key: str) -> None:
    """InvalidArgument for what no object could be called."""
    try:
        checked_key(key)
    except ValueError:
        raise InvalidArgument("manifest_key", "is no object key: parts that are not empty, joined by /") from None
