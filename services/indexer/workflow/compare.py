"""Holds two stored versions against each other."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from services.contracts.bundle import manifest_of
from services.contracts.validation import Comparison
from services.indexer.workflow.errors import NotComparable
from services.indexer.workflow.ports import Comparator, Versions


class Comparer:
    """Compares one pair at a time, on fresh copies of both."""

    def __init__(self, versions: Versions, comparator: Comparator, work_folder: Path) -> None:
        self._versions = versions
        self._comparator = comparator
        self._work_folder = work_folder
        self._turn = asyncio.Lock()

    async def compare(self, base: str, version: str) -> Comparison:
        """How `version` differs from `base`. NotFound when one of them is not there; NotComparable."""
        manifests = {name: await self._manifest(name) for name in (base, version)}
        async with self._turn:
            with TemporaryDirectory(prefix="afin-comparison-", dir=self._work_folder) as name:
                folders = self._comparator.folders(Path(name))
                for folder, wanted in zip(folders, (base, version), strict=True):
                    folder.mkdir()
                    await self._versions.fetch(wanted, manifests[wanted], folder)
                return await self._comparator.compare(Path(name))

    async def _manifest(self, version: str) -> bytes:
        content = await self._versions.manifest(version)
        try:
            manifest_of(version, content)
        except ValueError as error:
            raise NotComparable(f"the manifest of {version} is damaged or of another format: {error}") from error
        return content
