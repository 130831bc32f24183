"""Spans of calls: of those that a server takes, and of those that we make. W3C `traceparent` joins them.

Own code, and not OpenTelemetry's instrumentation of gRPC: that wraps handlers so that our thread server does not know
them any more, and writes messages of exceptions into spans (docs/adr/0029). Of the caller's state (`tracestate`,
baggage) nothing is taken over: it is the caller's text.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry import trace
from opentelemetry.context import Context, attach
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.runtime.access.admission import Admission
from services.runtime.calls import Call, Method
from services.runtime.sent_metadata import Continuation, with_metadata
from services.runtime.tracing.spans import fail, tracer

HEADER = "traceparent"
# What is the server's fault, or nobody's: other codes tell a caller what it did wrong, and are no error of the server.
SERVER_ERRORS = frozenset(
    getattr(grpc.StatusCode, name)
    for name in ("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
)

_W3C = TraceContextTextMapPropagator()


class TracedCall(Call):
    """A call under way, and its span."""

    __slots__ = ("span",)

    def __init__(self, request: object, context: Any, span: trace.Span) -> None:
        super().__init__(request, context)
        self.span = span


class TracedMethod(Method):
    """An RPC whose calls are spans, below the caller's where it sent a `traceparent`."""

    def __init__(self, path: str, kind: str, admission: Admission) -> None:
        super().__init__(path, kind, admission)
        self._name, self._described = path[1:], _described(path)

    def begin(self, request: object, context: Any) -> TracedCall:
        """Beside what it does anyway, makes the span that of this context of variables, the call's own."""
        super().begin(request, context)
        parent = _parent(context)
        span = tracer().start_span(self._name, parent, trace.SpanKind.SERVER, self._described)
        attach(trace.set_span_in_context(span, parent))
        return TracedCall(request, context, span)

    def end(self, call: Call) -> None:
        """Ends the span as the call ended."""
        super().end(call)
        if isinstance(call, TracedCall):
            _end(call.span, call.code, is_error=call.code in SERVER_ERRORS)


def client_interceptors() -> tuple[grpc.aio.ClientInterceptor, ...]:
    """For unary calls and for those with a stream of answers."""
    return (_Unary(), _Stream())


class _Unary(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Continuation, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        with _client_span(client_call_details) as (span, details):
            call = await continuation(details, request)
            # Not for its code: that never comes of what cannot be sent, and to stop waiting for it ends no call.
            await call
            _end(span, grpc.StatusCode.OK, is_error=False)
            return call


class _Stream(grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: Continuation, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        with _client_span(client_call_details) as (span, details):
            return _watched(await continuation(details, request), span)


async def _watched(call: Any, span: trace.Span) -> AsyncIterator[Any]:
    try:
        async for answer in call:
            yield answer
        _end(span, grpc.StatusCode.OK, is_error=False)
    except grpc.aio.AioRpcError as error:
        _end(span, error.code(), is_error=True)
        raise
    finally:
        # A second end is none: so ends one whose reader went away.
        _end(span, grpc.StatusCode.CANCELLED, is_error=True)


@contextmanager
def _client_span(details: grpc.aio.ClientCallDetails) -> Iterator[tuple[trace.Span, grpc.aio.ClientCallDetails]]:
    """The span, which is ended by who knows how the call ended, and the call with its `traceparent`."""
    path = details.method if isinstance(details.method, str) else details.method.decode()
    span = tracer().start_span(path[1:], kind=trace.SpanKind.CLIENT, attributes=_described(path))
    try:
        yield span, _with_parent(details, span)
    except BaseException as error:
        if isinstance(error, grpc.aio.AioRpcError):
            _end(span, error.code(), is_error=True)
        else:
            fail(span, error)
            span.end()
        raise


def _with_parent(details: grpc.aio.ClientCallDetails, span: trace.Span) -> grpc.aio.ClientCallDetails:
    carried: dict[str, str] = {}
    _W3C.inject(carried, trace.set_span_in_context(span))
    return with_metadata(details, ((HEADER, carried[HEADER]),) if HEADER in carried else ())


def _parent(context: Any) -> Context:
    for name, value in context.invocation_metadata() or ():
        if name == HEADER and isinstance(value, str):
            return _W3C.extract({HEADER: value}, Context())
    return Context()


def _described(path: str) -> dict[str, str]:
    service, _, name = path[1:].partition("/")
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": name}


def _end(span: trace.Span, code: grpc.StatusCode, *, is_error: bool) -> None:
    if not span.is_recording():
        return
    span.set_attribute("rpc.grpc.status_code", code.value[0])
    if is_error:
        span.set_status(trace.Status(trace.StatusCode.ERROR, code.name))
    span.end()
