"""Bundles, builds and validations as objects; see services.contracts.bundle for their keys."""

import asyncio
from pathlib import Path
from typing import TypeVar

from services.contracts import bundle
from services.contracts.bundle import MANIFEST_FILE, Build, Stored, Validation
from services.runtime.objects.store import ObjectNotFound, ObjectStore

# Beside the manifest: the build that made the version first. The manifest itself must not know of time.
BUILD_FILE = "build.json"

Record = TypeVar("Record", bound=Stored)


class VersionObjects:
    """See Versions. What was read of a build once is kept: records never change."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._first_builds: dict[str, Build] = {}

    async def build(self, build_id: str) -> Build | None:
        """See Versions."""
        return await self._record(bundle.build_key(build_id), Build)

    async def record_build(self, build: Build) -> Build:
        """See Versions."""
        content = build.to_bytes()
        await self._put(bundle.version_file_key(build.version, BUILD_FILE), content)
        if await self._put(bundle.build_key(build.build_id), content):
            return build
        return Build.model_validate_json(await self._get(bundle.build_key(build.build_id)))

    async def store(self, version: str, folder: Path) -> None:
        """See Versions."""
        for name in (*bundle.FILES, MANIFEST_FILE):
            await self._put(bundle.version_file_key(version, name), folder / name)

    async def fetch(self, version: str, folder: Path) -> None:
        """See Versions."""
        for name in (*bundle.FILES, MANIFEST_FILE):
            try:
                await asyncio.to_thread(self._store.fetch, bundle.version_file_key(version, name), folder / name)
            except ObjectNotFound:
                (folder / name).unlink(missing_ok=True)  # the inspection tells what is missing

    async def manifest(self, version: str) -> bytes:
        """See Versions."""
        return await self._get(bundle.manifest_key(version))

    async def newest_first(self) -> list[str]:
        """See Versions. Those whose build was broken off at its very end come last."""
        keys = await self._keys(bundle.VERSIONS_PREFIX)
        versions = [key.split("/")[-2] for key in keys if key.endswith(f"/{MANIFEST_FILE}")]
        builds = await asyncio.gather(*map(self.first_build, versions))
        order = (
            (build.built_at.timestamp() if build else 0.0, version)
            for build, version in zip(builds, versions, strict=True)
        )
        return [version for _, version in sorted(order, reverse=True)]

    async def first_build(self, version: str) -> Build | None:
        """See Versions."""
        if version not in self._first_builds:
            build = await self._record(bundle.version_file_key(version, BUILD_FILE), Build)
            if build is None:
                return None
            self._first_builds[version] = build
        return self._first_builds[version]

    async def record_validation(self, validation: Validation) -> None:
        """See Versions. Two at the same moment take two numbers."""
        prefix = bundle.validation_prefix(validation.version)
        number = len(await self._keys(prefix)) + 1
        while not await self._put(f"{prefix}{number:06d}.json", validation.to_bytes()):
            number += 1

    async def newest_validation(self, version: str) -> Validation | None:
        """See Versions."""
        keys = await self._keys(bundle.validation_prefix(version))
        return await self._record(keys[-1], Validation) if keys else None

    async def _record(self, key: str, kind: type[Record]) -> Record | None:
        try:
            return kind.model_validate_json(await self._get(key))
        except ObjectNotFound:
            return None

    async def _keys(self, prefix: str) -> list[str]:
        return await asyncio.to_thread(lambda: [info.key for info in self._store.list(prefix)])

    async def _get(self, key: str) -> bytes:
        return await asyncio.to_thread(self._store.get, key)

    async def _put(self, key: str, content: bytes | Path) -> bool:
        return await asyncio.to_thread(self._store.put_if_absent, key, content)
