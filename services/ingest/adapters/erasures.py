"""What erasures read and change of runs in PostgreSQL; they are runs themselves."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.adapters.tables import RUNS, STEPS, require_leader, transaction
from services.ingest.domain.runs import StepState
from services.ingest.workflow.erasing import LAST_STEP
from services.ingest.workflow.index import BUILD_STEP, PUBLISH_STEP
from services.ingest.workflow.outputs import SavedOutput
from services.ingest.workflow.values import ManifestReference, StoredManifest

ERASED, BUILT, PUBLISHED = STEPS.alias("erased"), STEPS.alias("built"), STEPS.alias("published")
VERSION = BUILT.c.output["version"].astext
# The first to be published of the versions that were built once the client was out; its own as a rule.
FIRST_PUBLISHED = (
    select(RUNS.c.run_id, func.array_agg(aggregate_order_by(VERSION, PUBLISHED.c.ended_at))[1].label("version"))
    .join(ERASED, (ERASED.c.run_id == RUNS.c.run_id) & (ERASED.c.name == LAST_STEP))
    .join(BUILT, (BUILT.c.name == BUILD_STEP) & (BUILT.c.started_at >= ERASED.c.ended_at))
    .join(PUBLISHED, (PUBLISHED.c.run_id == BUILT.c.run_id) & (PUBLISHED.c.name == PUBLISH_STEP))
    .where(ERASED.c.state == StepState.SUCCEEDED.value)
    .where(PUBLISHED.c.state == StepState.SUCCEEDED.value, PUBLISHED.c.counts.has_key("epoch"))
    .group_by(RUNS.c.run_id)
)


class PostgresErasureTable:
    """See services.ingest.workflow.erasure_ports. `epoch`: of the leader that it writes for; 0: it only reads."""

    def __init__(self, engine: AsyncEngine, epoch: int = 0) -> None:
        self._engine = engine
        self._epoch = epoch

    async def saved_manifest(self, run_id: str) -> ManifestReference | None:
        """See ErasureTable."""
        async with transaction(self._engine) as connection:
            output = await connection.scalar(select(STEPS.c.output).where(*_saved(run_id)))
            return None if output is None else SavedOutput.read(output).manifest

    async def replace_manifest(self, old: StoredManifest, new: StoredManifest, *, is_loaded: bool) -> None:
        """See ErasureTable."""
        names = {"manifest_key": new.key, "manifest_sha256": new.sha256}
        figures = {"rows": new.manifest.rows, "quarantined": new.manifest.quarantined}
        saved = cast(names if is_loaded else names | figures, JSONB)
        # A replay names among its parameters what it is to replay.
        replays = RUNS.c.parameters["manifest_key"].astext == old.key
        async with transaction(self._engine) as connection:
            await require_leader(connection, self._epoch)
            given = RUNS.c.parameters.op("||")(cast(names, JSONB))
            await connection.execute(update(RUNS).where(replays).values(parameters=given))
            output = STEPS.c.output.op("||")(saved)
            await connection.execute(update(STEPS).where(*_saved(new.manifest.run_id)).values(output=output))

    async def first_published(self, run_ids: Sequence[UUID]) -> dict[UUID, str]:
        """See ErasureTable."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(FIRST_PUBLISHED.where(RUNS.c.run_id.in_(run_ids)))
            return {row.run_id: row.version for row in found}


def _saved(run_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The step that left a manifest, if there is one."""
    return STEPS.c.run_id == UUID(run_id), STEPS.c.output.has_key("manifest_key")
