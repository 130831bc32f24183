"""Versions with all that is known of them."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.contracts.bundle import IndexManifest, Publication, manifest_of
from services.contracts.validation import Validation
from services.indexer.domain.publications import newest_of
from services.indexer.workflow.ports import Publications, Versions
from services.runtime.checksums import sha256_of
from services.runtime.errors import FailedPrecondition, NotFound

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class VersionView:
    """manifest: None when its stored bytes are damaged.

    epoch: the newest under which it was published as the main version, 0 for never. experiment: the running one whose
    challenger it is, or empty.
    """

    version: str
    manifest: IndexManifest | None
    manifest_sha256: str
    built_at: datetime | None
    epoch: int
    in_service: bool
    experiment: str
    validation: Validation | None


class Catalogue:
    """Looks versions up."""

    def __init__(self, versions: Versions, publications: Publications) -> None:
        self._versions = versions
        self._publications = publications

    async def view(self, version: str) -> VersionView:
        """NotFound when there is no such version."""
        content = await self._versions.manifest(version)
        build = await self._versions.first_build(version)
        published = await self._publications.all()
        newest = newest_of(published, version)
        challenger = published[-1].challenger if published else None
        return VersionView(
            version=version,
            manifest=_readable(version, content),
            manifest_sha256=sha256_of(content),
            built_at=build.built_at if build else None,
            epoch=newest.epoch if newest else 0,
            in_service=newest is not None and newest is published[-1],
            experiment=challenger.experiment if challenger and challenger.version == version else "",
            validation=await self._versions.newest_validation(version),
        )

    async def in_service(self) -> str:
        """The version in service; FailedPrecondition before the first publication."""
        published = await self._publications.all()
        if not published:
            raise FailedPrecondition("no index version is in service yet; name a base", reason="NOTHING_IN_SERVICE")
        return published[-1].version

    async def page(self, after: str, size: int) -> tuple[list[VersionView], bool]:
        """Up to `size` versions, newest first, from after `after` on (empty: from the first), and whether more follow.

        One that is removed meanwhile is left out. LookupError when there is no version `after`.
        """
        versions = await self._versions.newest_first()
        if after and after not in versions:
            raise LookupError(after)
        begin = versions.index(after) + 1 if after else 0
        wanted = versions[begin : begin + size]
        views = await asyncio.gather(*map(self._view_if_there, wanted))
        return [view for view in views if view], begin + size < len(versions)

    async def _view_if_there(self, version: str) -> VersionView | None:
        try:
            return await self.view(version)
        except NotFound:
            return None

    async def publications(self, below: int, size: int) -> tuple[list[Publication], bool]:
        """Up to `size` publications, newest first, with epochs below `below` (0: all); whether more follow."""
        published = await self._publications.all()
        found = [publication for publication in reversed(published) if not below or publication.epoch < below]
        return found[:size], len(found) > size


def _readable(version: str, content: bytes) -> IndexManifest | None:
    try:
        return manifest_of(version, content)
    except ValueError as error:
        log.warning("manifest cannot be read", version=version, problem=str(error))
        return None
