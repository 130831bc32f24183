"""What happens around every call of an asyncio server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import structlog

from services.runtime.access.admission import Admission
from services.runtime.access.caller import CALLER
from services.runtime.access.roles import READ
from services.runtime.calls import BUG, HEALTH, REFLECTION, SERVER_STREAM, SHED, UNARY, Call, Method, refusal
from services.runtime.errors import ServiceError, overloaded
from services.runtime.run_ids import bind_run

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
else:  # generic in its type stubs alone
    Handler = grpc.RpcMethodHandler

log = structlog.get_logger(__name__)


class AioInterceptor(grpc.aio.ServerInterceptor):
    """Wraps unary and server-streaming handlers. Reflection is only asked who calls, health not even that.

    More than `most_calls` at once are refused before they do anything.
    """

    def __init__(self, admission: Admission, most_calls: int, kind: type[Method] = Method) -> None:
        """`kind` of what is done around each call."""
        self._admission = admission
        self._kind = kind
        self._most_calls = most_calls
        self._calls = 0
        self._wrapped: dict[str, Handler] = {}
        self._released = asyncio.Event()
        self._released.set()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Calls that come inside wait for the end of the context before they do anything."""
        self._released.clear()
        try:
            yield
        finally:
            self._released.set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Gives the handler of the called method with the wrapping around it."""
        path = str(handler_call_details.method)
        found = self._wrapped.get(path)
        if found is None:
            handler = await continuation(handler_call_details)
            if handler is None or path.startswith(HEALTH):
                return handler
            found = self._wrapped[path] = self._wrap(handler, path)
        return found

    def _wrap(self, handler: Handler, path: str) -> Handler:
        codecs = (handler.request_deserializer, handler.response_serializer)
        if path.startswith(REFLECTION):
            return grpc.stream_stream_rpc_method_handler(self._guarded(handler.stream_stream), *codecs)
        if handler.unary_stream:
            method = self._kind(path, SERVER_STREAM, self._admission)
            return grpc.unary_stream_rpc_method_handler(self._stream(handler.unary_stream, method), *codecs)
        method = self._kind(path, UNARY, self._admission)
        return grpc.unary_unary_rpc_method_handler(self._unary(handler.unary_unary, method), *codecs)

    def _unary(self, inner: Any, method: Method) -> Any:
        async def behaviour(request: object, context: Any) -> object:
            async with self._watch(method, request, context) as call:
                call.answer = await inner(request, context)
                return call.answer

        return behaviour

    def _stream(self, inner: Any, method: Method) -> Any:
        async def behaviour(request: object, context: Any) -> AsyncIterator[object]:
            async with self._watch(method, request, context) as call:
                async for response in inner(request, context):
                    call.answer = response
                    yield response

        return behaviour

    def _guarded(self, inner: Any) -> Any:
        async def behaviour(requests: object, context: Any) -> AsyncIterator[object]:
            try:
                self._admission.admit(READ, None, context)
            except ServiceError as error:
                await context.abort(error.code, error.message, refusal(error))
            async for response in inner(requests, context):
                yield response

        return behaviour

    @asynccontextmanager
    async def _watch(self, method: Method, request: object, context: Any) -> AsyncIterator[Call]:
        bind_run(context)
        call = method.begin(request, context)
        self._calls += 1
        try:
            if self._calls > self._most_calls:
                SHED.labels("refused").inc()
                raise overloaded()
            await self._released.wait()
            CALLER.set(method.admit(call))
            yield call
        except ServiceError as error:
            call.code = error.code
            await context.abort(error.code, error.message, refusal(error))
        except (asyncio.CancelledError, GeneratorExit):
            call.code = grpc.StatusCode.CANCELLED
            raise
        except Exception:
            call.code = grpc.StatusCode.INTERNAL
            log.exception("call failed by a bug")
            await context.abort(call.code, BUG)
        finally:
            self._calls -= 1
            method.end(call)
