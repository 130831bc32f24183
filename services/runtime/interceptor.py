"""What happens around every call: admission, metrics, one log line, audit, and errors translated to google.rpc.Status.

Metric names are those of the gRPC ecosystem's Prometheus middlewares.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from prometheus_client import Counter, Histogram

from services.runtime.access.admission import Admission
from services.runtime.access.audit import audit
from services.runtime.access.roles import READ, Rpc
from services.runtime.errors import DETAILS_TRAILER, ServiceError

STARTED = Counter("grpc_server_started_total", "Calls begun.", ["grpc_type", "grpc_service", "grpc_method"])
HANDLED = Counter(
    "grpc_server_handled_total", "Calls ended.", ["grpc_type", "grpc_service", "grpc_method", "grpc_code"]
)
SECONDS = Histogram("grpc_server_handling_seconds", "Time of calls.", ["grpc_type", "grpc_service", "grpc_method"])
HEALTH, REFLECTION = "/grpc.health.", "/grpc.reflection."

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
else:  # generic in its type stubs alone
    Handler = grpc.RpcMethodHandler
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Call:
    """One call under way; the wrapping notes its answer."""

    method: str
    kind: str
    rpc: Rpc
    request: object
    context: Any
    answer: object = None


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps unary and server-streaming handlers. Reflection is only asked who calls, health not even that."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Gives the handler of the called method with the wrapping around it."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or method.startswith(HEALTH):
            return handler
        if method.startswith(REFLECTION):
            return self._guarded(handler)
        wrap = self._stream if handler.unary_stream else self._unary
        return wrap(handler, method, self._admission.rpc(method))

    def _unary(self, handler: Handler, method: str, rpc: Rpc) -> Handler:
        inner: Any = handler.unary_unary

        async def call(request: object, context: Any) -> object:
            async with self._watch(_Call(method, "unary", rpc, request, context)) as watched:
                watched.answer = await inner(request, context)
                return watched.answer

        return grpc.unary_unary_rpc_method_handler(call, handler.request_deserializer, handler.response_serializer)

    def _stream(self, handler: Handler, method: str, rpc: Rpc) -> Handler:
        inner: Any = handler.unary_stream

        async def call(request: object, context: Any) -> AsyncIterator[object]:
            async with self._watch(_Call(method, "server_stream", rpc, request, context)) as watched:
                async for response in inner(request, context):
                    watched.answer = response
                    yield response

        return grpc.unary_stream_rpc_method_handler(call, handler.request_deserializer, handler.response_serializer)

    def _guarded(self, handler: Handler) -> Handler:
        inner: Any = handler.stream_stream

        async def call(requests: object, context: Any) -> AsyncIterator[object]:
            try:
                self._admission.admit(READ, None, context)
            except ServiceError as error:
                await _abort(context, error)
            async for response in inner(requests, context):
                yield response

        return grpc.stream_stream_rpc_method_handler(call, handler.request_deserializer, handler.response_serializer)

    @asynccontextmanager
    async def _watch(self, call: _Call) -> AsyncIterator[_Call]:
        service, _, name = call.method.lstrip("/").partition("/")
        labels = (call.kind, service, name)
        STARTED.labels(*labels).inc()
        started, code, who = time.perf_counter(), grpc.StatusCode.OK, ""
        with structlog.contextvars.bound_contextvars(rpc=call.method):
            try:
                who = self._admission.admit(call.rpc, call.request, call.context)
                yield call
            except ServiceError as error:
                code = error.code
                log.info("call refused", code=code.name, reason=error.reason)
                await _abort(call.context, error)
            except (asyncio.CancelledError, GeneratorExit):
                code = grpc.StatusCode.CANCELLED
                raise
            except Exception:
                code = grpc.StatusCode.INTERNAL
                log.exception("call failed by a bug")
                await call.context.abort(code, "internal error; the service's log tells more")
            finally:
                HANDLED.labels(*labels, code.name).inc()
                SECONDS.labels(*labels).observe(time.perf_counter() - started)
                if call.rpc.is_audited:
                    who = who or self._admission.name(call.context)
                    audit(who, call.context.peer(), code.name, call.request, call.answer)


async def _abort(context: Any, error: ServiceError) -> None:
    await context.abort(error.code, error.message, ((DETAILS_TRAILER, error.to_status().SerializeToString()),))
