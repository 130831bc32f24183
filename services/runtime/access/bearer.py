"""The API key that goes with each call of ours; a changed file is read again at the next call, without a restart."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc

from services.runtime.access.files import FollowedFiles, read_file, warn_of_open_permissions
from services.runtime.access.keys import AccessFileError

Continuation = Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]]


def read_key(path: Path) -> str:
    """The key that the file holds. Raises AccessFileError."""
    key = read_file(path).decode("ascii", "replace").strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise AccessFileError(f"{path}: holds no API key; it must be the one line that `afin key new` printed")
    return key


def bearer_interceptors(path: Path) -> tuple[grpc.aio.ClientInterceptor, ...]:
    """For unary calls and for those with a stream of answers. Raises AccessFileError for a wrong file."""
    key = FollowedFiles("peers_api_key", [path], lambda: read_key(path))
    warn_of_open_permissions(path, is_secret=True)
    return (_Unary(key), _Stream(key))


class _Unary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, key: FollowedFiles[str]) -> None:
        self._key = key

    async def intercept_unary_unary(
        self, continuation: Continuation, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(_with_key(client_call_details, self._key), request)


class _Stream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, key: FollowedFiles[str]) -> None:
        self._key = key

    async def intercept_unary_stream(
        self, continuation: Continuation, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(_with_key(client_call_details, self._key), request)


def _with_key(details: grpc.aio.ClientCallDetails, key: FollowedFiles[str]) -> grpc.aio.ClientCallDetails:
    key.look()
    metadata = grpc.aio.Metadata(*(details.metadata or ()), ("authorization", f"Bearer {key.value}"))
    return grpc.aio.ClientCallDetails(
        details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
    )
