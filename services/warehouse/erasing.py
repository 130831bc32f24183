"""Erasure of a client from the warehouse: alone in it, as a load is, and told of without the client."""

import structlog

from services.runtime.clock import Clock
from services.warehouse.domain.erasure import Erased, ErasureRequest
from services.warehouse.domain.fields import WrongField
from services.warehouse.domain.loads import CLOCK_TOLERANCE, LoadRequest
from services.warehouse.metrics import ERASED
from services.warehouse.refusals import refusals
from services.warehouse.workflow import LoadStore, LoadTransaction, require_object_key

log = structlog.get_logger(__name__)


class Erasures:
    """Removes observations of clients. Every call can be repeated."""

    def __init__(self, store: LoadStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def erase_client(self, request: ErasureRequest) -> Erased:
        """The table without the client's observations; the figures of all calls with this erasure's id together."""
        now = self._clock()
        with refusals():
            request.check()
            if request.created_until > now + CLOCK_TOLERANCE:
                raise WrongField("created_until", "lies in the future; a client who comes back is a new one")

        async def work(transaction: LoadTransaction) -> Erased:
            return await transaction.erase_client(request, now)

        erased = await self._store.transact(work)
        ERASED.inc(erased.versions + erased.confirmations)
        log.info("client erased", erasure_id=request.erasure_id, versions=erased.versions)
        return erased

    async def replace_manifest(self, replacement: LoadRequest) -> bool:
        """Has a load of payments name another manifest, which holds its rows without the erased ones.

        Its counts stay: they are figures, of nobody. False when the ledger has no such load.
        """
        with refusals():
            replacement.check(self._clock())
        require_object_key(replacement.manifest_key)

        async def work(transaction: LoadTransaction) -> bool:
            return await transaction.replace_manifest(replacement)

        return await self._store.transact(work)
