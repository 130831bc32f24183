"""What a server needs to know who calls it, made from its settings, and kept current while it serves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import structlog

from services.runtime.access.admission import Admission
from services.runtime.access.certificates import ServerTls, TlsFiles
from services.runtime.access.files import FollowedFiles, keep_following, read_file, warn_of_open_permissions
from services.runtime.access.keys import AccessFileError, KeyRing, parse_keys
from services.runtime.access.roles import Rpcs
from services.runtime.settings import ServiceSettings

INTERVAL = timedelta(seconds=1)
LOOPBACK = ("localhost", "::1", "[::1]")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """`credentials`: for a secure port; None for a plaintext one."""

    admission: Admission
    credentials: grpc.ServerCredentials | None
    followed: tuple[FollowedFiles[Any], ...]

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Takes up changed files for as long as the context is open."""
        task = asyncio.create_task(keep_following(self.followed, INTERVAL))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def open_door(settings: ServiceSettings, rpcs: dict[str, Rpcs]) -> Door:
    """Reads keys and certificates; `rpcs`: by full name of the service. SystemExit, in one line, for unusable ones."""
    try:
        tls = _tls(settings)
        keys = _keys(settings)
    except AccessFileError as error:
        raise SystemExit(f"access: {error}") from None
    _tell_what_is_open(settings)
    ring: Callable[[], KeyRing | None] = (lambda: keys.value) if keys is not None else lambda: None
    followed: list[FollowedFiles[Any]] = [*([tls.followed] if tls else []), *([keys] if keys else [])]
    return Door(Admission(rpcs, ring), tls.credentials() if tls else None, tuple(followed))


def _tls(settings: ServiceSettings) -> ServerTls | None:
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    tls = ServerTls(TlsFiles(settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file))
    warn_of_open_permissions(settings.tls_key_file, is_secret=True)
    return tls


def _keys(settings: ServiceSettings) -> FollowedFiles[KeyRing] | None:
    path = settings.api_keys_file
    if path is None:
        return None
    keys = FollowedFiles("api_keys", [path], lambda: _read_keys(path))
    warn_of_open_permissions(path, is_secret=False)
    return keys


def _read_keys(path: Path) -> KeyRing:
    try:
        text = read_file(path).decode()
    except UnicodeDecodeError:
        raise AccessFileError(f"{path}: is not UTF-8 text") from None
    try:
        return parse_keys(text)
    except AccessFileError as error:
        raise AccessFileError(f"{path}: {error}") from None


def _tell_what_is_open(settings: ServiceSettings) -> None:
    if settings.host in LOOPBACK or settings.host.startswith("127."):
        return
    if settings.api_keys_file is None:
        log.warning("every caller may do everything", setting="API_KEYS_FILE")
    elif settings.tls_cert_file is None:
        log.warning("API keys travel unencrypted", setting="TLS_CERT_FILE")
