"""Metadata that go with each call of a channel."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

Pairs = tuple[tuple[str, str], ...]
Continuation = Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]]


def with_metadata(details: grpc.aio.ClientCallDetails, pairs: Pairs) -> grpc.aio.ClientCallDetails:
    """The same call with these behind what it sends anyway."""
    metadata = grpc.aio.Metadata(*(details.metadata or ()), *pairs)
    return grpc.aio.ClientCallDetails(
        details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
    )


def metadata_interceptors(pairs: Callable[[], Pairs]) -> tuple[grpc.aio.ClientInterceptor, ...]:
    """Send what `pairs` gives for each call; for unary calls and for those with a stream of answers."""
    return (_Unary(pairs), _Stream(pairs))


class _Unary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, pairs: Callable[[], Pairs]) -> None:
        self._pairs = pairs

    async def intercept_unary_unary(
        self, continuation: Continuation, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(with_metadata(client_call_details, self._pairs()), request)


class _Stream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, pairs: Callable[[], Pairs]) -> None:
        self._pairs = pairs

    async def intercept_unary_stream(
        self, continuation: Continuation, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(with_metadata(client_call_details, self._pairs()), request)
