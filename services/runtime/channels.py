"""Channels to other services: each call has a deadline, and what is safe to repeat is repeated by gRPC itself."""

import json
from collections.abc import Sequence
from typing import Any

import grpc

from services.runtime.access.bearer import bearer_interceptors
from services.runtime.access.proof import NO_PROOF, Proof

# Retried by the transport when no answer came of the call: UNAVAILABLE, and CANCELLED where we cancelled nothing: so
# core ends what reaches a stopping server before its GOAWAY has reached us (ADR 0023). All our calls may be repeated.
# https://github.com/grpc/proposal/blob/master/A6-client-retries.md
SERVICE_CONFIG: dict[str, Any] = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "3s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ],
}
# What a target begins with that names several replicas.
SEVERAL = ("dns:", "ipv4:", "ipv6:")
Options = tuple[tuple[str, int | str], ...]
OPTIONS: Options = (
    # A proxy for the outside world knows nothing of our services.
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 1),
    # A peer that was restarted is found again soon, not after gRPC's default of up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 30000),
    ("grpc.keepalive_timeout_ms", 10000),
)


def channel_options(address: str, service: str = "") -> Options:
    """Arguments of core. `service`: the full name of what is called, whose health tells when a replica leaves.

    Health is watched where the address names several replicas. With one there is nowhere else to go: what it is asked
    while it leaves would fail, and it would have been answered.
    """
    config = dict(SERVICE_CONFIG)
    if service and address.startswith(SEVERAL):
        config["healthCheckConfig"] = {"serviceName": service}
    return (*OPTIONS, ("grpc.service_config", json.dumps(config)))


def open_channel(
    address: str, proof: Proof = NO_PROOF, service: str = "", outer: Sequence[grpc.aio.ClientInterceptor] = ()
) -> grpc.aio.Channel:
    """A channel to `host:port`, or dns:///name:port of all replicas; the caller closes it (an async context manager).

    `proof`: whom we trust and who we are. AccessFileError where its files cannot be used. `service`: its full name.
    `outer`: what else is put around each call.
    """
    options = channel_options(address, service)
    interceptors = outer
    if proof.api_key_file is not None:
        interceptors = (*outer, *bearer_interceptors(proof.api_key_file))
    credentials = proof.channel_credentials()
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=options, interceptors=interceptors)
    return grpc.aio.secure_channel(address, credentials, options=options, interceptors=interceptors)
