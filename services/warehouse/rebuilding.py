"""The warehouse out of the lake: what the receipts tell is applied again, in the ledger's order, under its own times.

Each entry is one transaction, as when it was applied first: a rebuild that was interrupted goes on where it stopped.
"""

from dataclasses import dataclass
from enum import StrEnum

from services.contracts.lake import LakeManifest
from services.contracts.receipt import Receipt
from services.runtime.errors import DataLoss, FailedPrecondition
from services.runtime.objects.store import ObjectNotFound
from services.warehouse.domain.loads import Load, LoadCounts
from services.warehouse.domain.replay import Entry, counts_of
from services.warehouse.workflow import Lake, LoadStore, LoadTransaction


class Outcome(StrEnum):
    """What became of an entry. `differs`: applied, but its rows came to other counts than the receipt tells."""

    APPLIED = "applied"
    DIFFERS = "differs"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """Applies entries, one after the other. `skip_missing`: places before an entry may be empty."""

    store: LoadStore
    lake: Lake
    skip_missing: bool = False

    async def apply(self, entry: Entry) -> Outcome:
        """Applies an entry unless it stands there. FailedPrecondition when the database holds anything else."""

        async def work(transaction: LoadTransaction) -> Outcome:
            known = await transaction.find(entry.receipt.load_id)
            if known and entry.stands_as_told(known):
                return Outcome.KNOWN
            self._require_place(entry, await transaction.next_sequence(), known)
            if known:
                return await _record_update(transaction, known, entry.place)
            return await self._load(transaction, entry.receipt)

        return await self.store.transact(work)

    async def require_end(self, last: int) -> None:
        """FailedPrecondition when the ledger goes on beyond the place of the last entry."""
        await self.store.transact(lambda transaction: _require_end(transaction, last))

    def _require_place(self, entry: Entry, following: int, known: Load | None) -> None:
        follows = entry.place == following or (self.skip_missing and entry.place > following)
        if follows and entry.is_update == (known is not None):
            return
        raise FailedPrecondition(
            f"the database's next entry would be number {following}, and load {entry.receipt.load_id!r} of the lake is "
            f"number {entry.place}: the database holds something else, or somebody loads into it. Name an empty, "
            "migrated one that no service uses",
            reason="NOT_EMPTY",
        )

    async def _load(self, transaction: LoadTransaction, receipt: Receipt) -> Outcome:
        manifest = await self._manifest(receipt)
        await transaction.stage(receipt.dataset, self.lake.batches(manifest))
        counts = await _merge(transaction, receipt, manifest)
        await transaction.record(_ledger_entry(receipt, manifest))
        if receipt.dataset == "payments" and receipt.watermark:
            await transaction.advance_watermark("payments", receipt.watermark, receipt.load_id)
        return Outcome.APPLIED if counts == counts_of(receipt) else Outcome.DIFFERS

    async def _manifest(self, receipt: Receipt) -> LakeManifest:
        try:
            return await self.lake.manifest(receipt.manifest_key, receipt.manifest_sha256, receipt.dataset)
        except ObjectNotFound as error:
            key = receipt.manifest_key
            raise DataLoss(f"manifest {key!r} of a receipt is gone; restore it", metadata={"key": key}) from error


async def _merge(transaction: LoadTransaction, receipt: Receipt, manifest: LakeManifest) -> LoadCounts:
    if receipt.dataset == "payments":
        return await transaction.merge_payments(receipt.load_id, receipt.committed_at)
    return await transaction.merge_companies(
        receipt.load_id, manifest.source_time, receipt.committed_at, retires=manifest.is_whole
    )


async def _record_update(transaction: LoadTransaction, load: Load, place: int) -> Outcome:
    await transaction.record_update(load.load_id, place)
    await transaction.advance_watermark("companies", load.source_time, load.load_id)
    return Outcome.APPLIED


async def _require_end(transaction: LoadTransaction, last: int) -> None:
    following = await transaction.next_sequence()
    if following != last + 1:
        raise FailedPrecondition(
            f"the database's ledger goes on to number {following - 1}, the lake's receipts to {last}: it was not built "
            "from this lake alone. Name an empty, migrated one",
            reason="NOT_EMPTY",
        )


def _ledger_entry(receipt: Receipt, manifest: LakeManifest) -> Load:
    return Load(
        load_id=receipt.load_id,
        dataset=receipt.dataset,
        manifest_key=receipt.manifest_key,
        manifest_sha256=receipt.manifest_sha256,
        source_time=manifest.source_time,
        counts=counts_of(receipt),
        watermark=receipt.watermark,
        committed_at=receipt.committed_at,
        sequence=receipt.sequence,
    )
