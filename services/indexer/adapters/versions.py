"""Bundles, builds and validations as objects; see services.contracts.bundle for their keys."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from services.contracts import bundle
from services.contracts.bundle import MANIFEST_FILE, Build
from services.contracts.fresh import fresh_prefix
from services.contracts.validation import Validation
from services.indexer.adapters.records import Record, record
from services.indexer.domain.publications import is_version
from services.indexer.workflow.errors import VersionNotFound
from services.runtime.failpoints import Failpoint, passing
from services.runtime.objects.store import ObjectNotFound, ObjectStore

# Beside the manifest: the build that made the version first. The manifest itself must not know of time.
BUILD_FILE = "build.json"


class VersionObjects:
    """See Versions. What was read of a build once is kept: records never change."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._first_builds: dict[str, Build] = {}
        self._builds: dict[str, Build] = {}

    async def build(self, build_id: str) -> Build | None:
        """See Versions."""
        return await self._record(bundle.build_key(build_id), Build)

    async def record_build(self, build: Build) -> Build:
        """See Versions."""
        content = build.to_bytes()
        await self._put(bundle.version_file_key(build.version, BUILD_FILE), content)
        if await self._put(bundle.build_key(build.build_id), content):
            return build
        key = bundle.build_key(build.build_id)
        return record(Build, await self._get(key), key)

    async def store(self, version: str, folder: Path) -> None:
        """See Versions."""
        names = (*bundle.FILES, MANIFEST_FILE)
        for name in names:
            await self._put(bundle.version_file_key(version, name), folder / name)
            passing(Failpoint.FILE_STORED)
        # Who removed leftovers of an earlier try meanwhile may have met files that we left as they were.
        for name in await self._missing(version, names):
            await self._put(bundle.version_file_key(version, name), folder / name)

    async def fetch(self, version: str, manifest: bytes, folder: Path) -> None:
        """See Versions."""
        await asyncio.to_thread((folder / MANIFEST_FILE).write_bytes, manifest)
        for name in bundle.FILES:
            try:
                await asyncio.to_thread(self._store.fetch, bundle.version_file_key(version, name), folder / name)
            except ObjectNotFound:
                (folder / name).unlink(missing_ok=True)  # the inspection tells what is missing

    async def manifest(self, version: str) -> bytes:
        """See Versions."""
        try:
            return await self._get(bundle.manifest_key(version))
        except ObjectNotFound as error:
            raise VersionNotFound(version) from error

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

    async def builds(self) -> list[Build]:
        """See Manifests."""
        keys = await self._keys(bundle.BUILDS_PREFIX)
        unknown = [key for key in keys if key not in self._builds]
        read = await asyncio.gather(*(self._record(key, Build) for key in unknown))
        self._builds |= {key: build for key, build in zip(unknown, read, strict=True) if build}
        return [self._builds[key] for key in keys if key in self._builds]

    async def unfinished(self) -> list[str]:
        """See Versions."""
        keys = [key.removeprefix(bundle.VERSIONS_PREFIX).split("/") for key in await self._keys(bundle.VERSIONS_PREFIX)]
        finished = {version for version, *rest in keys if rest == [MANIFEST_FILE]}
        return sorted({version for version, *_ in keys if is_version(version)} - finished)

    async def withdraw(self, version: str) -> list[Build]:
        """See Versions."""
        builds = [build for build in await self.builds() if build.version == version]
        for build in builds:
            await self._delete(bundle.build_key(build.build_id))
            passing(Failpoint.RECORD_REMOVED)
        await self._delete(bundle.manifest_key(version))
        return builds

    async def restore(self, version: str, manifest: bytes, builds: list[Build]) -> None:
        """See Versions. Records first: without them nobody knows of which erasures the version is without."""
        for build in builds:
            await self._put(bundle.build_key(build.build_id), build.to_bytes())
        await self._put(bundle.manifest_key(version), manifest)

    async def remove(self, version: str) -> None:
        """See Versions."""
        # Its own files last: as long as one is there, what broke off is found.
        beside = (fresh_prefix(version), bundle.validation_prefix(version))
        for prefix in (*beside, bundle.version_file_key(version, "")):
            for key in await self._keys(prefix):
                await self._delete(key)
                passing(Failpoint.FILE_REMOVED)
        self._first_builds.pop(version, None)

    async def _missing(self, version: str, names: Sequence[str]) -> list[str]:
        there = set(await self._keys(bundle.version_file_key(version, "")))
        return [name for name in names if bundle.version_file_key(version, name) not in there]

    async def _record(self, key: str, kind: type[Record]) -> Record | None:
        try:
            return record(kind, await self._get(key), key)
        except ObjectNotFound:
            return None

    async def _keys(self, prefix: str) -> list[str]:
        return await asyncio.to_thread(lambda: [info.key for info in self._store.list(prefix)])

    async def _get(self, key: str) -> bytes:
        return await asyncio.to_thread(self._store.get, key)

    async def _delete(self, key: str) -> None:
        await asyncio.to_thread(self._store.delete, key)

    async def _put(self, key: str, content: bytes | Path) -> bool:
        return await asyncio.to_thread(self._store.put_if_absent, key, content)
