"""Erasures as callers ask for them and see them. The id of the client goes no further than into its digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.ingest.domain.erasure import client_digest
from services.ingest.domain.runs import Pipeline, Run
from services.ingest.domain.values import Refused, identifier
from services.ingest.workflow.erasure_ports import ErasureRecords, ErasureTable
from services.ingest.workflow.inspection import Runs
from services.ingest.workflow.outputs import ErasureParameters
from services.ingest.workflow.triggers import Triggers
from services.ingest.workflow.values import RunCursor
from services.runtime.errors import InvalidArgument, NotFound

FIELD = "external_client_id"


@dataclass(frozen=True, slots=True)
class Erasure:
    """The record of an erasure: its run, and the first published index without the client (empty: none yet)."""

    run: Run
    index_version: str


class Erasures:
    """Queues erasures and tells of them."""

    def __init__(self, triggers: Triggers, runs: Runs, records: ErasureRecords, table: ErasureTable) -> None:
        self._triggers = triggers
        self._runs = runs
        self._records = records
        self._table = table

    async def request(self, client_id: str, request_id: str | None) -> Erasure:
        """Queues the erasure of a client, whether or not there are payments of such a client."""
        try:
            client = identifier(client_id, FIELD)
        except Refused as refusal:
            raise InvalidArgument(FIELD, refusal.reason.removeprefix(f"{FIELD} ")) from None
        if request_id is not None and client in request_id:
            raise InvalidArgument("request_id", "holds the client's id, which must stay nowhere; name it otherwise")
        digest = client_digest(await self._records.salt(), client)
        run = await self._triggers.erase(ErasureParameters(client_digest=digest.hex()), request_id)
        return (await self._with_index([run]))[0]

    async def get(self, erasure_id: UUID) -> Erasure:
        """One of them, or NotFound."""
        run = await self._runs.get(erasure_id)
        if run.pipeline is not Pipeline.ERASURE:
            raise NotFound(f"run {erasure_id} is no erasure; list them with ListErasures")
        return (await self._with_index([run]))[0]

    async def page(self, limit: int, after: RunCursor | None) -> tuple[list[Erasure], RunCursor | None]:
        """Erasures, newest first, and where the next page begins."""
        runs, following = await self._runs.page(Pipeline.ERASURE, limit, after)
        return await self._with_index(runs), following

    async def _with_index(self, runs: Sequence[Run]) -> list[Erasure]:
        published = await self._table.first_published([run.run_id for run in runs])
        return [Erasure(run, published.get(run.run_id, "")) for run in runs]
