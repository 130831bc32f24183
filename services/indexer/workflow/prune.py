"""Removes versions that are not needed any more, so that none that is half removed can be published or loaded."""

import asyncio

import structlog

from services.contracts.bundle import Publication
from services.indexer import metrics
from services.indexer.domain.retention import Erasures, Keep, Why, to_prune
from services.indexer.workflow.ports import Publications, Versions
from services.runtime.clock import Clock
from services.runtime.errors import NotFound, ServiceError
from services.runtime.failpoints import Failpoint, passing

log = structlog.get_logger(__name__)


class Pruner:
    """`keep`: what stays unless a caller says otherwise; `building` is held while what looks unfinished is at work."""

    def __init__(
        self, keep: Keep, versions: Versions, publications: Publications, building: asyncio.Lock, clock: Clock
    ) -> None:
        self.keep = keep
        self._versions = versions
        self._publications = publications
        self._building = building
        self._clock = clock

    async def clean_up(self) -> None:
        """Prunes by the rules; a store that fails is told to the log alone, and the next validation tries again."""
        try:
            await self.prune(self.keep)
        except ServiceError as error:
            log.warning("old index versions not removed", problem=error.message)

    async def prune(self, keep: Keep, *, dry_run: bool = False) -> dict[str, Why]:
        """What was removed, or would be; versions newest first, then those that were left unfinished."""
        if self._building.locked():
            return await self._prune(keep, dry_run=dry_run, unfinished=False)
        async with self._building:
            return await self._prune(keep, dry_run=dry_run, unfinished=True)

    async def _prune(self, keep: Keep, *, dry_run: bool, unfinished: bool) -> dict[str, Why]:
        doomed = await self._doomed(keep, unfinished=unfinished)
        if dry_run:
            return doomed
        return {version: why for version, why in doomed.items() if await self._remove(version, why)}

    async def _doomed(self, keep: Keep, *, unfinished: bool) -> dict[str, Why]:
        """`unfinished`: also what was left so, and versions whose build has not been recorded, or never will be."""
        versions, publications = await self._versions.newest_first(), await self._publications.all()
        erasures = Erasures(await self._versions.builds())
        doomed = to_prune(versions, publications, erasures, keep, self._clock())
        if not unfinished:
            return {version: why for version, why in doomed.items() if await self._versions.first_build(version)}
        left = [each for each in await self._versions.unfinished() if not _is_in_service(each, publications)]
        return doomed | dict.fromkeys(left, Why.UNFINISHED)

    async def _remove(self, version: str, why: Why) -> bool:
        """False when it was put into service meanwhile."""
        if why is not Why.UNFINISHED and not await self._withdraw(version):
            return False
        await self._versions.remove(version)
        metrics.PRUNED.labels(why.name.lower()).inc()
        log.info("index version removed", version=version, why=why.name.lower())
        return True

    async def _withdraw(self, version: str) -> bool:
        """The manifest goes first: without it nobody publishes or loads the version.

        Who publishes looks for the manifest afterwards, and we for the publication: so one of us sees the other.
        """
        try:
            content = await self._versions.manifest(version)
        except NotFound:  # somebody else removes it, too
            return True
        builds = await self._versions.withdraw(version)
        passing(Failpoint.WITHDRAWN)
        if _is_in_service(version, await self._publications.all()):
            await self._versions.restore(version, content, builds)
            return False
        return True


def _is_in_service(version: str, publications: list[Publication]) -> bool:
    return bool(publications) and version in publications[-1].versions
