"""Certificates as files, checked by a handshake in memory: gRPC tells little of what is wrong with them."""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from prometheus_client import Gauge

from services.runtime.access.files import FollowedFiles, read_file
from services.runtime.access.keys import AccessFileError

EXPIRES = Gauge(
    "afin_tls_certificate_expires_timestamp_seconds",
    "When the certificate in use expires.",
    multiprocess_mode="livemin",
)
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# Certificate, key and CA of a test's handshake are exchanged within so many turns.
TURNS = 10


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of a server. With `client_ca`, callers must show a certificate that it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.certificate, self.key, *([self.client_ca] if self.client_ca else []))


class ServerTls:
    """What a server shows: read again for the next connection when the files have changed."""

    def __init__(self, files: TlsFiles) -> None:
        self.followed = FollowedFiles("tls", files.paths, lambda: _configuration(files))
        self._given: object = self.followed.value
        self._asks_clients = files.client_ca is not None

    def credentials(self) -> grpc.ServerCredentials:
        """For `add_secure_port`."""
        return grpc.dynamic_ssl_server_credentials(self.followed.value, self._newer, self._asks_clients)

    def _newer(self) -> Any:
        newest = self.followed.value
        if newest is self._given:
            return None
        self._given = newest
        return newest


def check_pair(certificate: Path, key: Path, *, of_caller: bool = False) -> float:
    """When the certificate, of a server or `of_caller`, expires: in seconds since 1970.

    Raises AccessFileError that says what is wrong.
    """
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    try:
        for context in (server, client):
            context.load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, OSError) as error:
        raise AccessFileError(f"{certificate} and {key}: {_why_no_pair(error)}") from None
    if of_caller:
        client.verify_mode, server.verify_mode = ssl.CERT_NONE, ssl.CERT_REQUIRED
    _trust(server if of_caller else client, certificate)
    found = _handshake(server, client, certificate, of_caller=of_caller)
    return float(ssl.cert_time_to_seconds(str(found["notAfter"])))


def check_authorities(path: Path) -> None:
    """Raises AccessFileError where the file holds no certificates of authorities."""
    content = read_file(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content.decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError):
        raise AccessFileError(f"{path}: holds no certificate of an authority in PEM") from None


def _configuration(files: TlsFiles) -> grpc.ServerCertificateConfiguration:
    expires = check_pair(files.certificate, files.key)
    pair = (read_file(files.key), read_file(files.certificate))
    authorities = None
    if files.client_ca is not None:
        check_authorities(files.client_ca)
        authorities = read_file(files.client_ca)
    EXPIRES.set(expires)
    return grpc.ssl_server_certificate_configuration([pair], authorities)


def _trust(side: ssl.SSLContext, path: Path) -> None:
    """Has this side of a handshake trust the very certificate."""
    first = CERTIFICATE.search(read_file(path))
    if first is None:
        raise AccessFileError(f"{path}: holds no certificate in PEM")
    side.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        side.load_verify_locations(cadata=first.group().decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError):
        raise AccessFileError(f"{path}: holds no certificate in PEM") from None


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, path: Path, *, of_caller: bool) -> dict[str, Any]:
    """The certificate as the other side sees it: valid today and for this use, or refused."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(TURNS):
        for side in (asking, answering):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                raise AccessFileError(f"{path}: {error.verify_message}") from None
            except ssl.SSLError as error:
                raise AccessFileError(f"{path}: cannot be used for TLS: {error.reason}") from None
    seen = (answering if of_caller else asking).getpeercert() if asking.version() else None
    if not seen:
        raise AccessFileError(f"{path}: cannot be used for TLS: no handshake came to an end")
    return dict(seen)


def _why_no_pair(error: ssl.SSLError | OSError) -> str:
    if isinstance(error, ssl.SSLError):
        mismatch = "KEY_VALUES_MISMATCH" in str(error.reason)
        return (
            "the key is another certificate's" if mismatch else "must be a certificate and its unencrypted key, in PEM"
        )
    return f"cannot be read: {error.strerror}"
