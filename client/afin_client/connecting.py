"""Channels: round robin over all addresses that the name has, found again soon after a restart, TLS if it is wanted."""

import json
from dataclasses import dataclass
from pathlib import Path

import grpc

RECOMMENDER, INGEST = "afin.recommender.v1.RecommenderService", "afin.ingest.v1.IngestService"
# What a target begins with that may name several replicas.
SEVERAL = ("dns:", "ipv4:", "ipv6:")
Options = tuple[tuple[str, int | str], ...]
OPTIONS: Options = (
    # Afín is called inside a network; a proxy for the outside world knows nothing of it.
    ("grpc.enable_http_proxy", 0),
    # Calls that no server has seen are sent again by gRPC itself; all else is retried by retrying.py.
    ("grpc.enable_retries", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.dns_min_time_between_resolutions_ms", 2000),
    # Finds a server that is gone without a word while a call waits for it.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files. `ca`: who vouches for the server; unset: the system's. The others, for mutual TLS, come together."""

    ca: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key are given together, or neither")

    def credentials(self) -> grpc.ChannelCredentials:
        """Reads the files. OSError for one that cannot be read."""
        ca, key, certificate = (
            None if path is None else path.read_bytes() for path in (self.ca, self.private_key, self.certificate)
        )
        return grpc.ssl_channel_credentials(ca, key, certificate)


def sync_channel(target: str, service: str, tls: Tls | None) -> grpc.Channel:
    """A channel to a service by its full name, to be closed by the caller; it connects at the first call."""
    options = _options(target, service)
    if tls is None:
        return grpc.insecure_channel(target, options=options)
    return grpc.secure_channel(target, tls.credentials(), options=options)


def aio_channel(target: str, service: str, tls: Tls | None) -> grpc.aio.Channel:
    """The same for asyncio; of the running loop."""
    options = _options(target, service)
    if tls is None:
        return grpc.aio.insecure_channel(target, options=options)
    return grpc.aio.secure_channel(target, tls.credentials(), options=options)


def _options(target: str, service: str) -> Options:
    """Of several replicas, one that says by its health that it leaves is asked no more, before it refuses calls.

    A single one is asked on: there is nowhere else to go.
    """
    config: dict[str, object] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if target.startswith(SEVERAL):
        config["healthCheckConfig"] = {"serviceName": service}
    return (*OPTIONS, ("grpc.service_config", json.dumps(config)))


def metadata_of(key: str | None) -> tuple[tuple[str, str], ...]:
    """What goes with each call. A file of a key may end in a line feed. Without TLS the key can be read on the way."""
    return () if key is None else (("authorization", f"Bearer {key.strip()}"),)
