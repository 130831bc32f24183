"""What erasures need of the world beyond services.ingest.workflow.ports; the adapters just fit."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from services.contracts.erasures import ErasureRecord
from services.contracts.receipt import Receipt
from services.ingest.domain.erasure import ErasedClients
from services.ingest.workflow.values import LakeErasure, ManifestReference, RunObjects, StoredManifest


class ErasureRecords(Protocol):
    """Who was erased, kept in the lake: whatever becomes of the database, it holds. Raises DataLoss."""

    async def salt(self) -> bytes:
        """Of all digests; never changes."""

    async def keep(self, record: ErasureRecord) -> None:
        """Remembers an erasure, from now on; again the same, it changes nothing."""

    async def erased_clients(self) -> ErasedClients:
        """All that an erasure was begun for, whatever became of it since."""


class ErasureTable(Protocol):
    """What erasures read and change of runs. Raises Unavailable."""

    async def saved_manifest(self, run_id: str) -> ManifestReference | None:
        """Where the rows of a run stand, by its row; None when its pass did not come to an end."""

    async def replace_manifest(self, old: StoredManifest, new: StoredManifest, *, is_loaded: bool) -> None:
        """Has rows of runs name another manifest; the account of a load that is committed stays as it is."""

    async def first_published(self, run_ids: Sequence[UUID]) -> dict[UUID, str]:
        """For erasures the first index version that was built after and published; missing: none was yet.

        No later one knows the client either: the indexer publishes none, nor rolls back to one, that was built before.
        """


class LakeEraser(Protocol):
    """Takes erased clients out of the lake. Rewrites are new objects; what they replace is deleted afterwards."""

    async def runs(self) -> list[RunObjects]:
        """Of all runs that left any, oldest window first."""

    async def receipt(self, run: RunObjects) -> Receipt | None:
        """The newest receipt of a run's load; None before it was loaded."""

    async def rewrite(
        self, run: RunObjects, stored: StoredManifest, erased: ErasedClients, edition: str | None
    ) -> StoredManifest:
        """A manifest of the same rows without those of the clients: `stored` itself where there are none.

        `edition`: of erasures that the manifest is to tell of from now on; None: of those that it tells of.
        """

    async def renew_receipt(self, run: RunObjects, stored: StoredManifest) -> None:
        """Has the receipt of a loaded run name this manifest."""

    async def delete_rest(self, run: RunObjects, stored: StoredManifest | None, erased: ErasedClients) -> LakeErasure:
        """Deletes what the manifest replaces, and whatever else holds rows of the clients though nobody names it.

        What was deleted with rows of theirs.
        """
