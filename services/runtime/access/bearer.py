"""The API key that goes with each call of ours; a changed file is read again at the next call, without a restart."""

from pathlib import Path

import grpc

from services.runtime.access.files import FollowedFiles, read_file, warn_of_open_permissions
from services.runtime.access.keys import AccessFileError
from services.runtime.sent_metadata import Pairs, metadata_interceptors


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

    def current() -> Pairs:
        key.look()
        return (("authorization", f"Bearer {key.value}"),)

    return metadata_interceptors(current)
