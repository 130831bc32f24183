"""What happens around every call of a thread server. `CallPool` runs what is made here."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import grpc
import structlog

from services.runtime.access.admission import Admission
from services.runtime.access.roles import READ
from services.runtime.aio_interceptor import Handler
from services.runtime.calls import BUG, HEALTH, REFLECTION, SERVER_STREAM, UNARY, Method, refusal
from services.runtime.errors import ServiceError
from services.runtime.lanes import Lane, LaneOf, lane_of

Behaviour = Callable[[Any, Any], Any]
HEALTH_CHECK = f"{HEALTH}v1.Health/Check"

log = structlog.get_logger(__name__)


class Wrapped(Protocol):
    """A method as the pool runs it."""

    streams_requests: bool
    lane: LaneOf

    def __call__(self, request: Any, context: Any) -> Any:
        """Runs the handler; gives the answer, or an iterator of answers."""

    def refused(self, error: ServiceError) -> Behaviour:
        """What is run instead of the handler, so that the caller is told the error."""


class ThreadInterceptor(grpc.ServerInterceptor):
    """Wraps unary and server-streaming handlers. Reflection is only asked who calls, health not even that.

    Each method is wrapped once.
    """

    def __init__(self, admission: Admission, kind: type[Method] = Method) -> None:
        """`kind`: what is known and told of each method."""
        self._admission = admission
        self._kind = kind
        self._wrapped: dict[str, Handler] = {}

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Handler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Gives the handler of the called method with the wrapping around it."""
        path = str(handler_call_details.method)
        found = self._wrapped.get(path)
        if found is None:
            handler = continuation(handler_call_details)
            if handler is None:
                return None
            found = self._wrapped[path] = self._wrap(handler, path)
        return found

    def _wrap(self, handler: Handler, path: str) -> Handler:
        codecs = (handler.request_deserializer, _bytes_or(handler.response_serializer))
        if path.startswith(REFLECTION):
            return grpc.stream_stream_rpc_method_handler(_Reflection(handler.stream_stream, self._admission), *codecs)
        if path.startswith(HEALTH):
            health = _Health(handler.unary_unary or handler.unary_stream, path)
            return _unary_requests(health, handler, codecs)
        if handler.request_streaming:
            raise NotImplementedError(f"{path}: a thread server takes one request a call")
        shape = SERVER_STREAM if handler.response_streaming else UNARY
        method = self._kind(path, shape, self._admission)
        watched = _Stream(handler.unary_stream, method) if handler.unary_stream else _Unary(handler.unary_unary, method)
        return _unary_requests(watched, handler, codecs)


class _Health:
    """Neither counted nor logged, and apart from all other work."""

    streams_requests = False

    def __init__(self, inner: Any, path: str) -> None:
        self._inner = inner
        self.lane: LaneOf = lambda _: Lane.QUICK if path == HEALTH_CHECK else Lane.EVENTS

    def __call__(self, request: Any, context: Any) -> Any:
        return self._inner(request, context)

    def refused(self, error: ServiceError) -> Behaviour:
        return _refusing(error)


class _Reflection:
    streams_requests = True

    def __init__(self, inner: Any, admission: Admission) -> None:
        self._inner = inner
        self._admission = admission
        self.lane: LaneOf = lambda _: Lane.WAITING

    def __call__(self, requests: Any, context: Any) -> Any:
        try:
            self._admission.admit(READ, None, context)
        except ServiceError as error:
            _abort(context, error)
        return self._inner(requests, context)

    def refused(self, error: ServiceError) -> Behaviour:
        return _refusing(error)


class _Unary:
    streams_requests = False

    def __init__(self, inner: Any, method: Method) -> None:
        self._inner = inner
        self._method = method
        self.lane = lane_of(inner)

    def __call__(self, request: Any, context: Any) -> Any:
        return self._run(self._inner, request, context)

    def refused(self, error: ServiceError) -> Behaviour:
        return lambda request, context: self._run(_raises(error), request, context)

    def _run(self, inner: Behaviour, request: Any, context: Any) -> Any:
        method = self._method
        call = method.begin(request, context)
        try:
            method.admit(call)
            call.answer = inner(request, context)
            if not context.is_active():
                call.code = grpc.StatusCode.CANCELLED
            return call.answer
        except ServiceError as error:
            call.code = error.code
            _abort(context, error)
        except Exception:
            call.code = grpc.StatusCode.INTERNAL
            log.exception("call failed by a bug")
            context.abort(call.code, BUG)
        finally:
            method.end(call)


class _Stream:
    streams_requests = False

    def __init__(self, inner: Any, method: Method) -> None:
        self._inner = inner
        self._method = method
        # Who streams waits for the reader.
        self.lane: LaneOf = lambda _: Lane.WAITING

    def __call__(self, request: Any, context: Any) -> Iterator[Any]:
        return self._run(self._inner, request, context)

    def refused(self, error: ServiceError) -> Behaviour:
        return lambda request, context: self._run(_raises(error), request, context)

    def _run(self, inner: Behaviour, request: Any, context: Any) -> Iterator[Any]:
        method = self._method
        call = method.begin(request, context)
        call.code = grpc.StatusCode.CANCELLED
        try:
            method.admit(call)
            for response in inner(request, context):
                call.answer = response
                yield response
            if context.is_active():
                call.code = grpc.StatusCode.OK
        except ServiceError as error:
            call.code = error.code
            _abort(context, error)
        except Exception:
            call.code = grpc.StatusCode.INTERNAL
            log.exception("call failed by a bug")
            context.abort(call.code, BUG)
        finally:
            method.end(call)


def _unary_requests(wrapped: Wrapped, handler: Handler, codecs: tuple[Any, Any]) -> Handler:
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(wrapped, *codecs)
    return grpc.unary_unary_rpc_method_handler(wrapped, *codecs)


def _bytes_or(serialize: Any) -> Any:
    """A handler may answer with a message that is serialised already."""
    return lambda response: response if type(response) is bytes or serialize is None else serialize(response)


def _raises(error: ServiceError) -> Behaviour:
    def behaviour(request: Any, context: Any) -> None:
        raise error

    return behaviour


def _refusing(error: ServiceError) -> Behaviour:
    return lambda request, context: _abort(context, error)


def _abort(context: Any, error: ServiceError) -> None:
    context.set_trailing_metadata(refusal(error))
    context.abort(error.code, error.message)
