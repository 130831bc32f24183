"""Spans of this process's own work. Without a collector they are nothing, and cost next to nothing.

What stands in a span: names of steps and stages, ids of runs, counts, types of exceptions and reasons of errors. Never
a message of an exception, a request or an answer: any of them may hold a client id.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context

from services.runtime.errors import ServiceError

Value = str | int | float | bool
# The trace that a root span begins in place of a random one.
TRACE_ID: ContextVar[int | None] = ContextVar("trace_id", default=None)
NANOSECONDS = 1_000_000_000


class _InUse:
    """As OpenTelemetry has one tracer a process; ours can end, and another follow it."""

    tracer: trace.Tracer = trace.NoOpTracer()


def tracer() -> trace.Tracer:
    """What begins spans: one that does nothing while nobody collects."""
    return _InUse.tracer


def is_traced() -> bool:
    """Whether somebody collects what this process does."""
    return not isinstance(_InUse.tracer, trace.NoOpTracer)


@contextmanager
def using(chosen: trace.Tracer) -> Iterator[None]:
    """All spans are begun by `chosen` inside."""
    before, _InUse.tracer = _InUse.tracer, chosen
    try:
        yield
    finally:
        _InUse.tracer = before


@contextmanager
def span(name: str, **attributes: Value) -> Iterator[None]:
    """Work with a name, below the span at work in this task or thread; an exception marks it as failed."""
    told = _told(attributes)
    with (
        tracer().start_as_current_span(
            name, attributes=told, record_exception=False, set_status_on_exception=False
        ) as begun,
        _failing(begun),
    ):
        yield


@contextmanager
def run_span(name: str, run_id: UUID, **attributes: Value) -> Iterator[None]:
    """The root of a run's trace, which has the run's id: who knows the run finds its trace, whoever worked on it.

    A run that is taken up again begins a second root in the same trace.
    """
    chosen = TRACE_ID.set(run_id.int)
    try:
        begun = tracer().start_span(name, Context(), attributes=_told({"run_id": str(run_id), **attributes}))
    finally:
        TRACE_ID.reset(chosen)
    with (
        trace.use_span(begun, end_on_exit=True, record_exception=False, set_status_on_exception=False),
        _failing(begun),
    ):
        yield


def describe(**attributes: Value) -> None:
    """Tells more of the span at work."""
    trace.get_current_span().set_attributes(_told(attributes))


def mark_failed(reason: str) -> None:
    """Marks the span at work as failed; `reason` is one of a few constants."""
    trace.get_current_span().set_status(trace.Status(trace.StatusCode.ERROR, reason))


class ProcessSpan:
    """A child process at work: what it says of itself becomes spans here, for it knows no collector."""

    def __init__(self, begun: trace.Span) -> None:
        self._context = trace.set_span_in_context(begun)

    def stage_ended(self, name: str, took: timedelta, **attributes: Value) -> None:
        """A span of what ended now and took so long."""
        now = time.time_ns()
        begun = now - round(took.total_seconds() * NANOSECONDS)
        tracer().start_span(name, self._context, attributes=_told(attributes), start_time=begun).end(now)


@contextmanager
def process_span(name: str) -> Iterator[ProcessSpan]:
    """Work of a child process, below the span at work, which stays so: generators may hold this one open."""
    begun = tracer().start_span(name)
    try:
        with _failing(begun):
            yield ProcessSpan(begun)
    finally:
        begun.end()


@contextmanager
def _failing(begun: trace.Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        fail(begun, error)
        raise


def fail(begun: trace.Span, error: BaseException) -> None:
    """Marks a span as failed by the type of what caused it, or its reason where it is an error for a caller."""
    cause = error.__cause__ or error
    told = cause.reason if isinstance(cause, ServiceError) else type(cause).__name__
    begun.set_status(trace.Status(trace.StatusCode.ERROR, told))


def current_ids() -> dict[str, str]:
    """trace_id and span_id in hexadecimal of the span at work; empty outside of any."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}


def _told(attributes: Mapping[str, Value]) -> dict[str, Value]:
    return {f"afin.{name}": value for name, value in attributes.items()}
