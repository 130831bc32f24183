"""The id of the run on whose behalf a call is made: log lines of every service carry it, with tracing or without."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import structlog

HEADER = "afin-run-id"
# Whatever else a caller sends is not taken into a log.
RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
Continuation = Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]]


def bind_run(context: Any) -> None:
    """Tells the run to what is logged in this context of variables, the call's own."""
    for name, value in context.invocation_metadata() or ():
        if name == HEADER and isinstance(value, str) and RUN_ID.fullmatch(value):
            structlog.contextvars.bind_contextvars(run_id=value)
            return


def run_id_interceptors() -> tuple[grpc.aio.ClientInterceptor, ...]:
    """Send the run that the log lines of the caller carry; for unary calls and for those with a stream of answers."""
    return (_Unary(), _Stream())


class _Unary(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Continuation, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(_with_run(client_call_details), request)


class _Stream(grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: Continuation, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(_with_run(client_call_details), request)


def _with_run(details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
    run_id = structlog.contextvars.get_contextvars().get("run_id")
    if run_id is None:
        return details
    metadata = grpc.aio.Metadata(*(details.metadata or ()), (HEADER, str(run_id)))
    return grpc.aio.ClientCallDetails(
        details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
    )
