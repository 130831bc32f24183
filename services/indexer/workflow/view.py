"""Looks into one stored version, in service or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from services.contracts.bundle import manifest_of
from services.indexer.domain.viewing import Answer, CompanyMap, Question
from services.indexer.workflow.errors import NotViewable
from services.indexer.workflow.ports import Versions

MOST_POINTS = 2000
KEPT_MAPS = 4


class Glass(Protocol):
    """Looks into a bundle that may be damaged in any way."""

    def bundle_folder(self, folder: Path) -> Path:
        """Where, in a folder, the bundle must lie."""

    async def map_of(self, folder: Path, question: Question) -> CompanyMap:
        """Its companies on a plane; NotViewable."""

    async def answer_of(self, folder: Path, question: Question) -> Answer:
        """What it would recommend; NotViewable."""


class Viewer:
    """Looks at one at a time, on a fresh copy; of the newest maps it keeps a few, as versions never change."""

    def __init__(self, versions: Versions, glass: Glass, work_folder: Path) -> None:
        self._versions = versions
        self._glass = glass
        self._work_folder = work_folder
        self._turn = asyncio.Lock()
        self._maps: dict[str, CompanyMap] = {}

    async def company_map(self, version: str) -> CompanyMap:
        """Of MOST_POINTS companies at most. NotFound when there is no such version."""
        async with self._turn:
            found = self._maps.pop(version, None)
            if found is None:
                async with self._fetched(version) as folder:
                    found = await self._glass.map_of(folder, Question(about="map", most=MOST_POINTS))
            self._maps[version] = found
            if len(self._maps) > KEPT_MAPS:
                self._maps.pop(next(iter(self._maps)))
            return found

    async def answer(self, version: str, question: Question) -> Answer:
        """NotFound when there is no such version."""
        async with self._turn, self._fetched(version) as folder:
            return await self._glass.answer_of(folder, question)

    @asynccontextmanager
    async def _fetched(self, version: str) -> AsyncIterator[Path]:
        content = await self._versions.manifest(version)
        try:
            manifest_of(version, content)
        except ValueError as error:
            raise NotViewable(f"the manifest of {version} is damaged or of another format: {error}") from error
        with TemporaryDirectory(prefix="afin-view-", dir=self._work_folder) as name:
            bundle = self._glass.bundle_folder(Path(name))
            bundle.mkdir()
            await self._versions.fetch(version, content, bundle)
            yield Path(name)
