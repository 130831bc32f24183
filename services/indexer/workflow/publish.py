"""Puts a version into service: a publication is one object, written if its epoch is free."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

import structlog

from services.contracts.bundle import IndexManifest, Publication, Search, manifest_of
from services.indexer import metrics
from services.indexer.domain.publications import before_present, newest_of
from services.indexer.domain.retention import Erasures
from services.indexer.workflow.ports import Manifests, Publications
from services.runtime.checksums import sha256_of
from services.runtime.clock import Clock
from services.runtime.errors import DataLoss, FailedPrecondition, NotFound
from services.runtime.failpoints import Failpoint, passing

# Why a version may follow what is in service, or None: it may not.
Approve = Callable[[Publication | None], Awaitable[str | None]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Next:
    """What a publication is to say."""

    version: str
    manifest_sha256: str
    reason: str
    search: Search


class Publisher:
    """Publishes validated versions, and older ones again."""

    def __init__(self, manifests: Manifests, publications: Publications, clock: Clock) -> None:
        self._manifests = manifests
        self._publications = publications
        self._clock = clock

    async def in_service(self) -> Publication | None:
        """The newest publication; None before the first."""
        publications = await self._publications.all()
        return publications[-1] if publications else None

    async def publish(
        self, version: str, manifest_sha256: str, approve: Approve, search: Search = "annoy"
    ) -> Publication | None:
        """A new epoch, unless the version was published before: then its newest publication. None: not approved.

        FailedPrecondition when it would bring an erased client back: a run that is retried may have built it before.
        So a step that is repeated after a rollback does not undo it. Of those who race for an epoch one wins; the
        others are judged anew, against the winner, and take the next.
        """
        while True:
            publications = await self._publications.all()
            present = publications[-1] if publications else None
            reason = await approve(present)
            if reason is None:
                return None
            known = newest_of(publications, version)
            if known:
                return known
            if present:
                await self._require_erased_stay_out(version, present.version)
            published = await self._follow(present, _Next(version, manifest_sha256, reason, search))
            if published:
                return published

    async def roll_back(self, version: str, reason: str) -> Publication:
        """Publishes `version`, or what was in service before the present one when it is empty.

        FailedPrecondition when there is none, when it never was published, is gone, or would bring an erased client
        back; DataLoss when it is damaged.
        """
        while True:
            publications = await self._publications.all()
            earlier = newest_of(publications, version) if version else before_present(publications)
            if earlier is None:
                raise FailedPrecondition(_no_way_back(version), reason="NOTHING_TO_ROLL_BACK_TO")
            await self._require_whole(earlier)
            present = publications[-1]
            if present.version == earlier.version:
                return present
            await self._require_erased_stay_out(earlier.version, present.version)
            again = _Next(earlier.version, earlier.manifest_sha256, reason, earlier.search)
            published = await self._follow(present, again)
            if published:
                return published

    async def show_in_service(self) -> None:
        """Brings the metrics up to date; of a version that this code cannot read they tell the epoch alone."""
        present = await self.in_service()
        if present is None:
            return
        try:
            content = await self._manifests.manifest(present.version)
            metrics.show_in_service(present.epoch, manifest_of(present.version, content))
        except (NotFound, ValueError):
            metrics.EPOCH.set(present.epoch)
            log.warning("manifest in service cannot be read", epoch=present.epoch, version=present.version)

    async def _follow(self, present: Publication | None, wanted: _Next) -> Publication | None:
        """The publication after `present`; None when another one was faster."""
        epoch = present.epoch + 1 if present else 1
        publication = Publication(epoch=epoch, published_at=self._clock(), **asdict(wanted))
        if not await self._publications.add(publication):
            return None
        passing(Failpoint.PUBLISHED)
        log.info("index published", epoch=epoch, version=wanted.version, reason=wanted.reason, search=wanted.search)
        await self._require_still_there(publication, present)
        await self.show_in_service()
        return publication

    async def _require_still_there(self, publication: Publication, before: Publication | None) -> None:
        """Who removes versions looks for publications afterwards, and we for the manifest: so one sees the other."""
        try:
            await self._manifests.manifest(publication.version)
        except NotFound as error:
            if before:
                reason = f"{publication.version} was removed while it was published"
                again = {"epoch": publication.epoch + 1, "published_at": self._clock(), "reason": reason}
                await self._publications.add(before.model_copy(update=again))
            message = f"{publication.version} was removed meanwhile, and is not in service; build it again"
            raise FailedPrecondition(message, reason="VERSION_REMOVED") from error

    async def _require_erased_stay_out(self, version: str, present: str) -> None:
        """The version in service may itself be from before an erasure: then another one makes nothing worse."""
        erasures = Erasures(await self._manifests.builds())
        if not erasures.known_to(version) >= erasures.known_to(present):
            message = f"{version} was built before a client was erased whom it knows; name a later one, or build anew"
            raise FailedPrecondition(message, reason="BEFORE_ERASURE")

    async def _require_whole(self, publication: Publication) -> None:
        version = publication.version
        try:
            content = await self._manifests.manifest(version)
        except NotFound as error:
            message = f"{version} was removed; name another that was published"
            raise FailedPrecondition(message, reason="NOTHING_TO_ROLL_BACK_TO") from error
        if sha256_of(content) != publication.manifest_sha256:
            raise DataLoss(f"the manifest of {version} is not the one that was published; build a new version")
        try:
            IndexManifest.from_bytes(content, f"the manifest of {version}")
        except ValueError as error:
            message = f"{error}; its format is another one than we serve: name another version, or build anew"
            raise FailedPrecondition(message, reason="OTHER_FORMAT") from error


def _no_way_back(version: str) -> str:
    if version:
        return f"{version} was never published; validate it with `publish` to put it into service"
    return "no version was in service before the present one first was; name another of ListPublications"
