"""From the warehouse's rows to a stored, unpublished index version."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from services.contracts.bundle import MANIFEST_FILE, Build, IndexManifest, version_of
from services.indexer import metrics
from services.indexer.domain.training import RowsRead, Stage, Task
from services.indexer.workflow.ports import Trainer, TrainingRows, Versions
from services.runtime.checksums import sha256_of
from services.runtime.clock import Clock
from services.runtime.failpoints import Failpoint, passing
from services.runtime.tracing.spans import describe, span

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """A stage that ended; the last one of a build names the version that it made."""

    stage: str
    detail: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What stays the same from build to build; of `task` all but the watermark. `work_folder`: for temporary files."""

    task: Task
    work_folder: Path


class Builder:
    """One build at a time: a second one waits, and finds its version made when it has the same build id."""

    def __init__(self, plan: BuildPlan, rows: TrainingRows, trainer: Trainer, versions: Versions, clock: Clock) -> None:
        """`turn` is held while a build goes on; who removes versions holds it, too."""
        self._plan = plan
        self._rows = rows
        self._trainer = trainer
        self._versions = versions
        self._clock = clock
        self.turn = asyncio.Lock()

    async def build(self, build_id: str) -> AsyncGenerator[Progress, None]:
        """Yields the stages as they end. Closed or cancelled, it stops the work; a new call begins anew."""
        if self.turn.locked():
            yield Progress("wait", "another build is at work, or old versions are removed; this one follows")
        async with self.turn:
            recorded = await self._versions.build(build_id)
            if recorded:
                metrics.BUILDS.labels("recorded").inc()
                yield Progress("recorded", f"this build made {recorded.version} before", recorded.version)
                return
            with metrics.counted_build():
                async with aclosing(self._make(build_id)) as progress:
                    async for step in progress:
                        yield step

    async def _make(self, build_id: str) -> AsyncGenerator[Progress, None]:
        with TemporaryDirectory(prefix="afin-build-", dir=self._plan.work_folder) as name:
            folder = Path(name)
            begun = time.perf_counter()
            with span("read training payments"):
                read = await self._rows.read(folder)
                describe(payments=read.payments, companies=read.companies)
            yield _noted(Stage(name="read_training_payments", detail=_told(read), seconds=time.perf_counter() - begun))
            passing(Failpoint.ROWS_READ)
            task = self._plan.task.model_copy(update={"watermark": read.watermark})
            async with aclosing(self._trainer.train(task, folder)) as stages:
                async for stage in stages:
                    yield _noted(stage)
            passing(Failpoint.TRAINED)
            begun = time.perf_counter()
            with span("store"):
                build = await self._store(build_id, self._trainer.bundle_folder(folder), read)
        stage = Stage(name="store", detail=f"stored as {build.version}", seconds=time.perf_counter() - begun)
        yield _noted(stage, build.version)

    async def _store(self, build_id: str, folder: Path, read: RowsRead) -> Build:
        content = await asyncio.to_thread((folder / MANIFEST_FILE).read_bytes)
        manifest, sha256 = IndexManifest.model_validate_json(content), sha256_of(content)
        version = version_of(manifest.watermark, sha256)
        await self._versions.store(version, folder)
        passing(Failpoint.VERSION_STORED)
        build = Build(
            build_id=build_id,
            version=version,
            manifest_sha256=sha256,
            built_at=self._clock(),
            erasures=read.erasures,
            read_behind=read.behind,
        )
        recorded = await self._versions.record_build(build)
        passing(Failpoint.BUILD_RECORDED)
        return recorded


def _noted(stage: Stage, version: str = "") -> Progress:
    metrics.STAGE_SECONDS.labels(stage.name).observe(stage.seconds)
    log.info("build stage ended", stage=stage.name, **stage.model_dump(exclude={"name"}))
    return Progress(stage.name, stage.detail, version)


def _told(read: RowsRead) -> str:
    return (
        f"{read.payments:,} payments; {read.companies:,} companies in the catalogue; {read.left_out:,} payments to "
        "companies that are not in it, or retired, are left out"
    )
