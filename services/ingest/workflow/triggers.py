"""Runs by request: started, repeated and cancelled. Each call can be repeated without a second effect."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import structlog

from services.ingest.domain.runs import Pipeline, Run, Trigger
from services.ingest.domain.values import FIRST_YEAR
from services.ingest.domain.window import DayRange
from services.ingest.workflow.errors import CompaniesNeverLoaded, NotReplayable, RunActive
from services.ingest.workflow.inspection import Quarantine
from services.ingest.workflow.outputs import (
    BackfillParameters,
    CompaniesParameters,
    ErasureParameters,
    ReplayParameters,
)
from services.ingest.workflow.pipelines import step_names
from services.ingest.workflow.ports import RunTable, Warehouse
from services.ingest.workflow.values import NewRun
from services.runtime.clock import Clock
from services.runtime.errors import InvalidArgument, PermissionDenied, Unavailable

log = structlog.get_logger(__name__)


class Triggers:
    """What callers may start. `warehouse` is asked once, without patience; `wake` tells the leader, if it is here."""

    def __init__(
        self, runs: RunTable, quarantine: Quarantine, warehouse: Warehouse, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self._runs = runs
        self._quarantine = quarantine
        self._warehouse = warehouse
        self._clock = clock
        self._wake = wake

    async def run_pipeline(self, pipeline: Pipeline, request_id: str | None, parameters: dict[str, Any]) -> Run:
        """Queues a run of a pipeline that can run by itself. Raises RunActive or CompaniesNeverLoaded."""
        if pipeline is not Pipeline.COMPANIES:
            await self._require_companies()
        return await self._create(pipeline, request_id, parameters)

    async def backfill(self, first_day: str, last_day: str, request_id: str | None) -> Run:
        """Queues a backfill of days, given as YYYY-MM-DD. Raises RunActive, CompaniesNeverLoaded or InvalidArgument."""
        first, last = _day("first_day", first_day), _day("last_day", last_day)
        problem = DayRange(first, last).problem(self._clock().astimezone(UTC).date())
        if problem is not None:
            raise InvalidArgument("last_day", problem)
        await self._require_companies()
        parameters = BackfillParameters(first_day=first, last_day=last).to_json()
        return await self._create(Pipeline.BACKFILL, request_id, parameters)

    async def erase(self, client: ErasureParameters, request_id: str | None) -> Run:
        """Queues the erasure of a client. There is no other run while it works; several erasures queue."""
        return await self._create(Pipeline.ERASURE, request_id, client.to_json())

    async def replay(self, run_id: UUID, request_id: str | None) -> Run:
        """Queues a replay of the rows that an ended run refused. Raises RunActive, NotReplayable or NotFound."""
        refused_by = await self._runs.get(run_id)
        if refused_by.state.is_active:
            raise RunActive(refused_by.pipeline, str(run_id))
        if refused_by.pipeline is Pipeline.COMPANIES:
            raise NotReplayable(
                f"run {run_id} is of companies, whose rows mean something as a whole only; run the pipeline companies"
            )
        stored = await self._quarantine.manifest_of(refused_by)
        if stored is None or not stored.manifest.quarantined:
            raise NotReplayable(f"run {run_id} has refused no rows; see ListQuarantineReasons of other runs")
        parameters = ReplayParameters(run_id=str(run_id), manifest_key=stored.key, manifest_sha256=stored.sha256)
        return await self._create(Pipeline.REPLAY, request_id, parameters.to_json())

    async def retry(self, run_id: UUID, *, by_admin: bool) -> Run:
        """Queues a failed or cancelled run again; it goes on at its first unfinished step.

        PermissionDenied as `cancel`.
        """
        await self._require_may(run_id, by_admin=by_admin)
        run = await self._runs.retry(run_id)
        self._wake()
        return run

    async def cancel(self, run_id: UUID, *, by_admin: bool) -> Run:
        """Ends a queued run at once and a running one soon; one that was cancelled already is no error.

        PermissionDenied where another than an admin would end or repeat what only an admin may ask for.
        """
        await self._require_may(run_id, by_admin=by_admin)
        run = await self._runs.request_cancel(run_id)
        self._wake()
        return run

    async def _create(self, pipeline: Pipeline, request_id: str | None, parameters: dict[str, Any]) -> Run:
        names = step_names(pipeline)
        new = NewRun(uuid4(), pipeline, Trigger.MANUAL, self._clock(), request_id, names, parameters)
        run = await self._runs.create(new)
        if run.run_id == new.run_id:
            log.info("run requested", run_id=str(run.run_id), pipeline=pipeline.value)
        elif _asked_for(run.parameters) != _asked_for(parameters):
            # Taken for a repetition, e.g. a second client would never be erased, and nobody would be told.
            raise InvalidArgument("request_id", f"is that of run {run.run_id}, asked for otherwise; give another id")
        self._wake()
        return run

    async def _require_may(self, run_id: UUID, *, by_admin: bool) -> None:
        if not by_admin and needs_admin(await self._runs.get(run_id)):
            raise PermissionDenied(
                f"run {run_id} is one that only an admin may ask for, so only an admin may cancel or retry it",
                reason="ROLE_TOO_LOW",
                metadata={"needed": "admin"},
            )

    async def _require_companies(self) -> None:
        try:
            companies = (await self._warehouse.watermarks()).companies
        except Unavailable:
            # The step verify_companies asks again, with patience.
            log.info("run accepted unchecked, the warehouse does not answer")
            return
        if companies is None:
            raise CompaniesNeverLoaded


def needs_admin(run: Run) -> bool:
    """Whether only an admin may ask for such a run: an erasure, or one that overrides the catalogue's safety check."""
    if run.pipeline is Pipeline.ERASURE:
        return True
    return run.pipeline is Pipeline.COMPANIES and CompaniesParameters.read(run.parameters).accept_fewer_companies


def _asked_for(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller said: an erasure since may have replaced the manifest of a replay."""
    return {name: value for name, value in parameters.items() if not name.startswith("manifest_")}


def _day(field: str, text: str) -> date:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        day = None
    if day is None or day.isoformat() != text or day.year < FIRST_YEAR:
        raise InvalidArgument(field, f"must be a day as YYYY-MM-DD, of the year {FIRST_YEAR} or later")
    return day
