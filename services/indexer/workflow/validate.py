"""Judges a stored version, and publishes it when it passes."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from pydantic import ValidationError

from services.contracts.bundle import FILES, Check, IndexManifest, Publication, Validation, version_of
from services.indexer import metrics
from services.indexer.domain.gate import GateRules, age_check, quality_checks
from services.indexer.workflow.ports import Inspector, Versions
from services.indexer.workflow.publish import Publisher
from services.runtime.checksums import sha256_of
from services.runtime.clock import Clock

REASON = "passed its validation"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ValidationPlan:
    """What stays the same from validation to validation."""

    rules: GateRules
    work_folder: Path


class Validator:
    """One validation at a time; each works on a fresh copy of the bundle."""

    def __init__(
        self, plan: ValidationPlan, versions: Versions, inspector: Inspector, publisher: Publisher, clock: Clock
    ) -> None:
        self._plan = plan
        self._versions = versions
        self._inspector = inspector
        self._publisher = publisher
        self._clock = clock
        self._turn = asyncio.Lock()

    async def validate(self, version: str, *, publish: bool) -> tuple[Validation, Publication | None]:
        """The recorded validation, and the publication when it passed and was asked for. NotFound: no such version."""
        async with self._turn:
            content = await self._versions.manifest(version)
            checks = await self._checks(version, content)
            validation = Validation(version=version, validated_at=self._clock(), checks=checks)
            await self._versions.record_validation(validation)
        metrics.VALIDATIONS.labels("passed" if validation.passed else "failed").inc()
        failed = {check.name: check.detail for check in checks if not check.passed}
        log.info("index validated", version=version, passed=validation.passed, failed=failed)
        if not (publish and validation.passed):
            return validation, None
        return validation, await self._publisher.publish(version, sha256_of(content), REASON)

    async def _checks(self, version: str, content: bytes) -> tuple[Check, ...]:
        manifest = _manifest_of(version, content)
        if isinstance(manifest, str):
            return (Check(name="manifest", passed=False, detail=manifest),)
        found = f"{len(content)} bytes, whose SHA-256 the version's name holds"
        structure = await self._structure(version)
        present = await self._in_service(version)
        quality = quality_checks(manifest.quality, present.quality if present else None, self._plan.rules)
        age = age_check(manifest.watermark, present.watermark if present else None)
        return (Check(name="manifest", passed=True, detail=found), *structure, age, *quality)

    async def _structure(self, version: str) -> tuple[Check, ...]:
        with TemporaryDirectory(prefix="afin-validation-", dir=self._plan.work_folder) as name:
            await self._versions.fetch(version, Path(name))
            return await self._inspector.inspect(Path(name))

    async def _in_service(self, candidate: str) -> IndexManifest | None:
        present = await self._publisher.in_service()
        if present is None or present.version == candidate:
            return None
        content = await self._versions.manifest(present.version)
        return IndexManifest.model_validate_json(content)


def _manifest_of(version: str, content: bytes) -> IndexManifest | str:
    """The manifest, or what is wrong with it."""
    try:
        manifest = IndexManifest.model_validate_json(content)
    except ValidationError as error:
        return f"it cannot be read: {error.error_count()} problems, the first: {error.errors()[0]['msg']}"
    if version_of(manifest.watermark, sha256_of(content)) != version:
        return "its SHA-256 or watermark is not the one that the version's name holds"
    if sorted(file.name for file in manifest.files) != sorted(FILES):
        return "it does not name the files of a bundle"
    return manifest
