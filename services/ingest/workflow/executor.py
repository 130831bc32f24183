"""Works through a run, step by step, and writes down what came of each.

A run left `running`, by a crash or a stop of the process, goes on at its first unfinished step with whoever takes it.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from services.ingest.domain.runs import Outputs, Pipeline, Run, RunState, StepRecord, StepState
from services.ingest.workflow import metrics
from services.ingest.workflow.errors import LeadershipLost, PeerRefused
from services.ingest.workflow.pipelines import PIPELINES
from services.ingest.workflow.ports import WorkTable
from services.ingest.workflow.steps import Progress, Step, StepContext, StepResult, Tools
from services.runtime.errors import ServiceError
from services.runtime.failpoints import Failpoint, passing
from services.runtime.tracing.spans import describe, mark_failed, run_span, span

# Progress is written, and a cancellation noticed, twice a second.
NOTE_INTERVAL = timedelta(seconds=0.5)
MAX_ERROR = 1000

log = structlog.get_logger(__name__)


class _CancelRequested(Exception):
    """Somebody asked for the end of the run."""


class _StepFailed(Exception):
    """The run ends here; the message is for a person."""


class Executor:
    """Executes runs during one leadership."""

    def __init__(self, runs: WorkTable, tools: Tools, after_step: Callable[[], None] = lambda: None) -> None:
        """`after_step` is called whenever a step is done: it may have changed what others look at."""
        self._runs = runs
        self._tools = tools
        self._after_step = after_step
        self._is_announced = False

    async def execute(self, run_id: UUID) -> None:
        """Takes an active run to its end. Cancelled itself, it leaves the run `running`, to be taken up again.

        Raises LeadershipLost when another leader has the run, and Unavailable when the database is away: the run is
        left as it is then, too.
        """
        run = await self._runs.take(run_id)
        if run is None:
            return
        passing(Failpoint.RUN_TAKEN)
        pipeline = run.pipeline.value
        with (
            structlog.contextvars.bound_contextvars(run_id=str(run_id), pipeline=pipeline),
            run_span(f"run {pipeline}", run_id, pipeline=pipeline, attempt=run.attempts),
        ):
            log.info("run begun", attempt=run.attempts)
            outcome, error = await self._outcome(run)
            await self._runs.end(run, outcome, error)
            metrics.note_run(run, outcome)
            log.info("run ended", outcome=outcome.value, error=error)
            describe(outcome=outcome.value)
            if outcome is RunState.FAILED:
                mark_failed("RUN_FAILED")

    async def _outcome(self, run: Run) -> tuple[RunState, str]:
        try:
            await self._work_through(run)
        except _CancelRequested:
            return RunState.CANCELLED, ""
        except _StepFailed as failure:
            return RunState.FAILED, str(failure)
        return RunState.SUCCEEDED, ""

    async def _work_through(self, run: Run) -> None:
        settles = run.cancel_requested and await self._has_loaded(run)
        if run.cancel_requested and not settles:
            raise _CancelRequested
        steps = PIPELINES[run.pipeline]
        if [step.name for step in steps] != [record.name for record in run.steps]:
            raise _StepFailed("the steps of the pipeline have changed since the run was made; start a new run")
        outputs = dict(run.outputs())
        for step, record in zip(steps, run.steps, strict=True):
            if record.state is not StepState.SUCCEEDED:
                result = await self._work(run, record, step, outputs)
                outputs[step.name] = result.output
                if settles:
                    raise _CancelRequested

    async def _has_loaded(self, run: Run) -> bool:
        """Whether a run to be cancelled died between the commit of its load and the entry of its account."""
        if run.account is not None or all(step.state is not StepState.RUNNING for step in run.steps):
            return False
        try:
            # The load of a former leader may still be under way: announced, we hear of it once it is over.
            await self._announce()
            return await self._tools.warehouse.find_load(str(run.run_id)) is not None
        except PeerRefused as refusal:
            raise _StepFailed(f"whether its load was committed is not known: {refusal.message}") from refusal

    async def _work(self, run: Run, record: StepRecord, step: Step, outputs: Outputs) -> StepResult:
        position = record.position
        attempt = await self._runs.begin_step(run, position)
        passing(Failpoint.STEP_BEGUN)
        # Already to be cancelled when it was taken, a run only gets here to settle a load that is committed.
        progress = Progress(is_committing=run.cancel_requested)
        keep = partial(self._runs.keep, run, position)
        context = StepContext(run, attempt, self._tools, progress, outputs, record.output, keep)
        with (
            structlog.contextvars.bound_contextvars(step=step.name),
            span(f"step {step.name}", attempt=attempt),
            _counted(run.pipeline, step.name),
        ):
            started = time.perf_counter()
            result = await self._watched(context, position, step)
            passing(Failpoint.BEFORE_STEP_COMPLETE)
            await self._runs.complete_step(run, position, result.output, result.account)
            passing(Failpoint.STEP_COMPLETED)
            self._after_step()
            seconds = time.perf_counter() - started
            log.info("step done", seconds=round(seconds, 3), counts=context.progress.counts)
            describe(**context.progress.counts)
        metrics.STEP_SECONDS.labels(run.pipeline, step.name).observe(seconds)
        for outcome, rows in (result.account.outcomes() if result.account else {}).items():
            metrics.ROWS.labels(run.pipeline, outcome).inc(rows)
        return result

    async def _watched(self, context: StepContext, position: int, step: Step) -> StepResult:
        work = asyncio.ensure_future(self._announced(context, step))
        try:
            while not work.done():
                if await self._note(context, position) and not context.progress.is_committing:
                    raise _CancelRequested
                await asyncio.wait({work}, timeout=NOTE_INTERVAL.total_seconds())
        finally:
            work.cancel()
            await asyncio.wait({work})
        # What the step said last belongs to its record, however it ended.
        await self._note(context, position)
        return _result_of(work)

    async def _announced(self, context: StepContext, step: Step) -> StepResult:
        """The step's work, once the warehouse refuses every leader before this one."""
        if not self._is_announced:
            context.progress.say("asking the warehouse")
            await self._announce()
        return await step.work(context)

    async def _announce(self) -> None:
        await self._tools.warehouse.announce_leader()
        self._is_announced = True

    async def _note(self, context: StepContext, position: int) -> bool:
        return await self._runs.note(context.run, position, context.progress.counts, context.progress.detail)


@contextmanager
def _counted(pipeline: Pipeline, step: str) -> Iterator[None]:
    """Counts how a step ended; one that its leader left has not."""
    try:
        yield
    except _StepFailed:
        metrics.STEPS.labels(pipeline, step, RunState.FAILED).inc()
        raise
    except _CancelRequested:
        metrics.STEPS.labels(pipeline, step, RunState.CANCELLED).inc()
        raise
    metrics.STEPS.labels(pipeline, step, RunState.SUCCEEDED).inc()


def _result_of(work: "asyncio.Future[StepResult]") -> StepResult:
    try:
        return work.result()
    except LeadershipLost:
        raise
    except ServiceError as error:
        log.warning("step failed", reason=error.reason, error=error.message)
        raise _StepFailed(" ".join(error.message.split())[:MAX_ERROR]) from error
    except Exception as error:
        log.exception("step failed by a bug")
        raise _StepFailed(f"internal error ({type(error).__name__}); see the log of ingest") from error
