"""Judges a stored version, and publishes it when it passes, or when an operator overrides what may be overridden."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from services.contracts.bundle import IndexManifest, Publication, Search, manifest_of
from services.contracts.validation import Check, Validation
from services.indexer import metrics
from services.indexer.domain.gate import OVERRIDABLE, GateRules, InService, gate_checks
from services.indexer.domain.soundness import quicker_search
from services.indexer.workflow.compare import Comparer
from services.indexer.workflow.errors import ComparisonDied, NotComparable
from services.indexer.workflow.experiments import Experiments, Trial
from services.indexer.workflow.ports import Inspector, Versions
from services.indexer.workflow.publish import Approve, Publisher
from services.runtime.checksums import sha256_of
from services.runtime.clock import Clock
from services.runtime.errors import NotFound
from services.runtime.failpoints import Failpoint, passing

REASON = "passed its validation"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ValidationPlan:
    """What stays the same from validation to validation. `work_folder`: for temporary files.

    `clean_up` follows whatever was to be published: refused versions must not gather, either. `measures_search`:
    recommenders are to search exactly where that was quicker than Annoy.
    """

    rules: GateRules
    comparer: Comparer
    clock: Clock
    work_folder: Path
    clean_up: Callable[[], Awaitable[None]]
    measures_search: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller wants of a validation. `override_reason`: why to publish although the gate refuses; empty: not.

    `trial`: to publish it for a share of the clients alone.
    """

    publish: bool = False
    override_reason: str = ""
    trial: Trial | None = None


@dataclass(frozen=True, slots=True)
class WaysOut:
    """How a version that passed gets before clients."""

    publisher: Publisher
    experiments: Experiments


@dataclass(frozen=True, slots=True)
class _Candidate:
    """`manifest`: None when the first of the `structure` checks failed."""

    version: str
    content: bytes
    manifest: IndexManifest | None
    structure: tuple[Check, ...]


class Validator:
    """One validation at a time; each works on a fresh copy of the bundle."""

    def __init__(self, plan: ValidationPlan, versions: Versions, inspector: Inspector, ways_out: WaysOut) -> None:
        self._plan = plan
        self._versions = versions
        self._inspector = inspector
        self._ways_out = ways_out
        self._turn = asyncio.Lock()

    async def validate(self, version: str, wish: Wish) -> tuple[Validation, Publication | None]:
        """The recorded validation, and the publication when it may be and was asked for. NotFound: no such version.

        Whoever is overtaken by another publication is judged again, against that one.
        """
        async with self._turn:
            candidate = await self._candidate(version)
            validations = []

            async def approve(present: Publication | None) -> str | None:
                validations.append(await self._judge(candidate, present, wish))
                return _publication_reason(validations[-1])

            if wish.publish:
                publication = await self._put_out(candidate, approve, wish.trial)
                await self._plan.clean_up()
                return validations[-1], publication
            return await self._judge(candidate, await self._ways_out.publisher.in_service(), wish), None

    async def _put_out(self, candidate: _Candidate, approve: Approve, trial: Trial | None) -> Publication | None:
        search: Search = quicker_search(candidate.structure) if self._plan.measures_search else "annoy"
        sha256 = sha256_of(candidate.content)
        if trial:
            return await self._ways_out.experiments.start(candidate.version, sha256, approve, search, trial)
        return await self._ways_out.publisher.publish(candidate.version, sha256, approve, search)

    async def _candidate(self, version: str) -> _Candidate:
        content = await self._versions.manifest(version)
        try:
            manifest = manifest_of(version, content)
        except ValueError as error:
            return _Candidate(version, content, None, (Check(name="manifest", passed=False, detail=str(error)),))
        detail = f"{len(content)} bytes, whose SHA-256 the version's name holds"
        first = Check(name="manifest", passed=True, detail=detail)
        with TemporaryDirectory(prefix="afin-validation-", dir=self._plan.work_folder) as name:
            await self._versions.fetch(version, content, Path(name))
            found = await self._inspector.inspect(Path(name))
        passing(Failpoint.INSPECTED)
        return _Candidate(version, content, manifest, (first, *found))

    async def _judge(self, candidate: _Candidate, present: Publication | None, wish: Wish) -> Validation:
        checks, drift = candidate.structure, None
        if candidate.manifest and all(check.passed for check in checks):
            in_service = await self._in_service(candidate.version, present)
            checks += gate_checks(candidate.manifest, in_service, self._plan.rules)
            drift = in_service.drift if in_service else None
        validation = Validation(version=candidate.version, validated_at=self._plan.clock(), checks=checks, drift=drift)
        if wish.publish and wish.override_reason and _may_be_overridden(validation):
            validation = validation.model_copy(update={"override_reason": wish.override_reason})
        await self._versions.record_validation(validation)
        passing(Failpoint.VALIDATED)
        _tell(validation)
        return validation

    async def _in_service(self, candidate: str, present: Publication | None) -> InService | None:
        if present is None or present.version == candidate:
            return None
        try:
            manifest = manifest_of(present.version, await self._versions.manifest(present.version))
            return InService(manifest, await self._plan.comparer.compare(present.version, candidate))
        except ValueError as error:
            problem = f"the manifest of {present.version}, in service, is damaged or of another format: {error}"
            return InService(None, None, problem)
        except NotFound:
            return InService(None, None, f"{present.version}, in service, is gone from the object store")
        except ComparisonDied as error:
            return InService(manifest, None, error.message, is_known=False)
        except NotComparable as error:
            return InService(manifest, None, error.message)


def _may_be_overridden(validation: Validation) -> bool:
    return bool(validation.failed) and {check.name for check in validation.failed} <= OVERRIDABLE


def _publication_reason(validation: Validation) -> str | None:
    """What the publication says of why; None when there must be none."""
    if validation.passed:
        return REASON
    if not validation.override_reason:
        return None
    failed = ", ".join(check.name for check in validation.failed)
    return f"although it failed {failed}: {validation.override_reason}"


def _tell(validation: Validation) -> None:
    failed = {check.name: check.detail for check in validation.failed}
    metrics.note_validation(validation)
    log.info(
        "index validated",
        version=validation.version,
        passed=validation.passed,
        failed=failed,
        override_reason=validation.override_reason,
    )
