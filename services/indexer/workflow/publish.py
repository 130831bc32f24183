"""Puts a version into service: a publication is one object, written if its epoch is free."""

import structlog

from services.contracts.bundle import IndexManifest, Publication
from services.indexer import metrics
from services.indexer.domain.publications import before_present, newest_of
from services.indexer.workflow.ports import Manifests, Publications
from services.runtime.checksums import sha256_of
from services.runtime.clock import Clock
from services.runtime.errors import DataLoss, FailedPrecondition

log = structlog.get_logger(__name__)


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

    async def publish(self, version: str, manifest_sha256: str, reason: str) -> Publication:
        """A new epoch, unless the version was published before: then its newest publication.

        So a step that is repeated after a rollback does not undo it. Of those who race for an epoch one wins; the
        others take the next.
        """
        known = newest_of(await self._publications.all(), version)
        return known or await self._put_in_service(version, manifest_sha256, reason)

    async def _put_in_service(self, version: str, manifest_sha256: str, reason: str) -> Publication:
        while True:
            present = await self.in_service()
            if present and present.version == version:
                return present
            publication = Publication(
                epoch=present.epoch + 1 if present else 1,
                version=version,
                manifest_sha256=manifest_sha256,
                published_at=self._clock(),
                reason=reason,
            )
            if await self._publications.add(publication):
                log.info("index published", epoch=publication.epoch, version=version, reason=reason)
                await self.show_in_service()
                return publication

    async def roll_back(self, version: str, reason: str) -> Publication:
        """Publishes `version`, or what was in service before the present one when it is empty.

        FailedPrecondition when there is none, or when the version never was published; DataLoss when it is damaged.
        """
        publications = await self._publications.all()
        earlier = newest_of(publications, version) if version else before_present(publications)
        if earlier is None:
            raise FailedPrecondition(_no_way_back(version), reason="NOTHING_TO_ROLL_BACK_TO")
        if sha256_of(await self._manifests.manifest(earlier.version)) != earlier.manifest_sha256:
            raise DataLoss(f"the manifest of {earlier.version} is not the one that was published; build a new version")
        return await self._put_in_service(earlier.version, earlier.manifest_sha256, reason)

    async def show_in_service(self) -> None:
        """Brings the metrics up to date."""
        present = await self.in_service()
        if present:
            content = await self._manifests.manifest(present.version)
            metrics.show_in_service(present.epoch, IndexManifest.model_validate_json(content))


def _no_way_back(version: str) -> str:
    if version:
        return f"{version} was never published; validate it with `publish` to put it into service"
    return "no other version was in service before the present one; name one that was published"
