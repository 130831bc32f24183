"""Erasure of a client from the warehouse: alone in it, as a load is, and told of without the client."""

import structlog

from services.runtime.clock import Clock
from services.runtime.failpoints import Failpoint, passing
from services.warehouse.domain.erasure import Erased, ErasureRequest
from services.warehouse.domain.loads import LoadRequest
from services.warehouse.metrics import ERASED
from services.warehouse.refusals import refusals
from services.warehouse.workflow import LoadStore, LoadTransaction, require_object_key, transact_under

log = structlog.get_logger(__name__)


class Erasures:
    """Removes observations of clients. Every call can be repeated."""

    def __init__(self, store: LoadStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def erase_client(self, request: ErasureRequest) -> Erased:
        """The table without the client's observations; the figures of all calls with this erasure's id together."""
        now = self._clock()

        async def work(transaction: LoadTransaction) -> Erased:
            erased = await transaction.erase_client(request, now)
            passing(Failpoint.BEFORE_COMMIT)
            return erased

        with refusals():
            request.check()
            erased = await transact_under(self._store, request.leader_epoch, work)
        passing(Failpoint.AFTER_COMMIT)
        ERASED.inc(erased.by_this_call)
        log.info("client erased", erasure_id=request.erasure_id, versions=erased.versions)
        return erased

    async def replace_manifest(self, replacement: LoadRequest) -> bool:
        """Has a load of payments name another manifest, which holds its rows without the erased ones.

        Its counts stay: they are figures, of nobody. False when the ledger has no such load.
        """
        require_object_key(replacement.manifest_key)

        async def work(transaction: LoadTransaction) -> bool:
            return await transaction.replace_manifest(replacement)

        with refusals():
            replacement.check(self._clock())
            return await transact_under(self._store, replacement.leader_epoch, work)
