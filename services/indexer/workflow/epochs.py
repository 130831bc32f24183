"""The line of publications: each is one object, written if its epoch is free."""

from dataclasses import asdict

import structlog

from services.contracts.bundle import IndexManifest, Publication, manifest_of
from services.indexer import metrics
from services.indexer.domain.retention import Erasures
from services.indexer.domain.succession import Next
from services.indexer.workflow.ports import Manifests, Publications
from services.runtime.checksums import sha256_of
from services.runtime.clock import Clock
from services.runtime.errors import DataLoss, FailedPrecondition, NotFound
from services.runtime.failpoints import Failpoint, passing

log = structlog.get_logger(__name__)


class Epochs:
    """Adds publications, one after the other; what a publication may say is for others to decide."""

    def __init__(self, manifests: Manifests, publications: Publications, clock: Clock) -> None:
        self._manifests = manifests
        self._publications = publications
        self._clock = clock

    async def all(self) -> list[Publication]:
        """In order."""
        return await self._publications.all()

    async def erasures(self) -> Erasures:
        """What versions know of erasures."""
        return Erasures(await self._manifests.builds())

    async def follow(self, present: Publication | None, wanted: Next) -> Publication | None:
        """The publication after `present`; None when another one was faster."""
        epoch = present.epoch + 1 if present else 1
        challenger = wanted.challenger
        publication = Publication(epoch=epoch, published_at=self._clock(), **asdict(wanted))
        if not await self._publications.add(publication):
            return None
        passing(Failpoint.PUBLISHED)
        log.info(
            "index published",
            epoch=epoch,
            version=wanted.version,
            reason=wanted.reason,
            search=wanted.search,
            experiment=challenger.experiment if challenger else None,
            share=challenger.share if challenger else None,
        )
        await self._require_still_there(publication, present)
        await self.show_in_service()
        return publication

    async def show_in_service(self) -> None:
        """Brings the metrics up to date; of a version that this code cannot read they tell the epoch alone."""
        publications = await self.all()
        if not publications:
            return
        present = publications[-1]
        metrics.show_publication(present)
        try:
            manifest = manifest_of(present.version, await self._manifests.manifest(present.version))
        except (NotFound, ValueError):
            log.warning("manifest in service cannot be read", epoch=present.epoch, version=present.version)
            return
        built = [build.built_at for build in await self._manifests.builds() if build.version == present.version]
        metrics.show_main(manifest, max(built, default=None))

    async def require_erased_stay_out(self, version: str, present: str) -> None:
        """The version in service may itself be from before an erasure: then another one makes nothing worse."""
        erasures = await self.erasures()
        if not erasures.known_to(version) >= erasures.known_to(present):
            message = f"{version} was built before a client was erased whom it knows; name a later one, or build anew"
            raise FailedPrecondition(message, reason="BEFORE_ERASURE")

    async def require_whole(self, version: str, manifest_sha256: str) -> None:
        """That a version which was published before can be again; FailedPrecondition, or DataLoss when damaged."""
        try:
            content = await self._manifests.manifest(version)
        except NotFound as error:
            message = f"{version} was removed; name another that was published, or build anew"
            raise FailedPrecondition(message, reason="NOTHING_TO_ROLL_BACK_TO") from error
        if sha256_of(content) != manifest_sha256:
            raise DataLoss(f"the manifest of {version} is not the one that was published; build a new version")
        try:
            IndexManifest.from_bytes(content, f"the manifest of {version}")
        except ValueError as error:
            message = f"{error}; its format is another one than we serve: name another version, or build anew"
            raise FailedPrecondition(message, reason="OTHER_FORMAT") from error

    async def _require_still_there(self, publication: Publication, before: Publication | None) -> None:
        """Who removes versions looks for publications afterwards, and we for the manifests: so one sees the other."""
        for version in publication.versions:
            try:
                await self._manifests.manifest(version)
            except NotFound as error:
                if before:
                    reason = f"{version} was removed while it was published"
                    again = {"epoch": publication.epoch + 1, "published_at": self._clock(), "reason": reason}
                    await self._publications.add(before.model_copy(update=again))
                message = f"{version} was removed meanwhile, and is not in service; build it again"
                raise FailedPrecondition(message, reason="VERSION_REMOVED") from error
