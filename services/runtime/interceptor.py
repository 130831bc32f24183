"""What happens around every call: metrics, one log line, and errors translated to google.rpc.Status.

Metric names are those of the gRPC ecosystem's Prometheus middlewares.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from prometheus_client import Counter, Histogram

from services.runtime.errors import DETAILS_TRAILER, ServiceError

STARTED = Counter("grpc_server_started_total", "Calls begun.", ["grpc_type", "grpc_service", "grpc_method"])
HANDLED = Counter(
    "grpc_server_handled_total", "Calls ended.", ["grpc_type", "grpc_service", "grpc_method", "grpc_code"]
)
SECONDS = Histogram("grpc_server_handling_seconds", "Time of calls.", ["grpc_type", "grpc_service", "grpc_method"])
UNWATCHED = ("/grpc.health.", "/grpc.reflection.")

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
else:  # generic in its type stubs alone
    Handler = grpc.RpcMethodHandler
log = structlog.get_logger(__name__)


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps unary and server-streaming handlers; health and reflection pass untouched."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Gives the handler of the called method with the wrapping around it."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or method.startswith(UNWATCHED):
            return handler
        if handler.unary_stream:
            return _watched_stream(handler, method)
        return _watched_unary(handler, method)


def _watched_unary(handler: Handler, method: str) -> Handler:
    inner: Any = handler.unary_unary

    async def call(request: object, context: Any) -> object:
        async with _watch(method, "unary", context):
            return await inner(request, context)

    return grpc.unary_unary_rpc_method_handler(call, handler.request_deserializer, handler.response_serializer)


def _watched_stream(handler: Handler, method: str) -> Handler:
    inner: Any = handler.unary_stream

    async def call(request: object, context: Any) -> AsyncIterator[object]:
        async with _watch(method, "server_stream", context):
            async for response in inner(request, context):
                yield response

    return grpc.unary_stream_rpc_method_handler(call, handler.request_deserializer, handler.response_serializer)


@asynccontextmanager
async def _watch(method: str, kind: str, context: Any) -> AsyncIterator[None]:
    service, _, name = method.lstrip("/").partition("/")
    labels = (kind, service, name)
    STARTED.labels(*labels).inc()
    started, code = time.perf_counter(), grpc.StatusCode.OK
    with structlog.contextvars.bound_contextvars(rpc=method):
        try:
            yield
        except ServiceError as error:
            code = error.code
            log.info("call refused", code=code.name, reason=error.reason)
            trailer = ((DETAILS_TRAILER, error.to_status().SerializeToString()),)
            await context.abort(code, error.message, trailer)
        except (asyncio.CancelledError, GeneratorExit):
            code = grpc.StatusCode.CANCELLED
            raise
        except Exception:
            code = grpc.StatusCode.INTERNAL
            log.exception("call failed by a bug")
            await context.abort(code, "internal error; the service's log tells more")
        finally:
            HANDLED.labels(*labels, code.name).inc()
            SECONDS.labels(*labels).observe(time.perf_counter() - started)
