"""What the transport of every server is told, so that no client can use it up.

Numbers of a kind that no operator needs to turn stand here; those that one may are settings.
"""

from services.runtime.settings import ServiceSettings

MAX_REQUEST_BYTES = 4 * 1024 * 1024
MAX_METADATA_BYTES = 16 * 1024
# Of one connection at once; more wait at the client.
MAX_STREAMS = 100
# Calls of one method that nobody has taken up yet; more are ended by the transport, unseen, with CANCELLED, where a
# refusal of ours tells when to come again. They hold their headers: of requests a connection's window is the limit.
MAX_PENDING = 4000
# A connection that says nothing at first, and one that has no calls.
SILENCE_MS = 10_000
IDLE_MS = 600_000
# We ask a quiet connection whether anybody is there; it may ask us every ten seconds, or it is sent away.
KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS = 60_000, 20_000
LEAST_PING_INTERVAL_MS = 10_000
MAX_PING_STRIKES = 2

Options = tuple[tuple[str, int], ...]


def server_options(settings: ServiceSettings, *, shares_port: bool = False) -> Options:
    """Arguments of core; `shares_port`: other processes of this service listen on the same one."""
    return (
        ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.max_concurrent_streams", MAX_STREAMS),
        ("grpc.server.max_pending_requests", MAX_PENDING),
        ("grpc.server.max_pending_requests_hard_limit", MAX_PENDING),
        ("grpc.max_allowed_incoming_connections", settings.max_connections),
        ("grpc.server_handshake_timeout_ms", SILENCE_MS),
        ("grpc.http2.settings_timeout", SILENCE_MS),
        ("grpc.max_connection_idle_ms", IDLE_MS),
        ("grpc.max_connection_age_ms", round(settings.connection_age_seconds * 1000)),
        ("grpc.max_connection_age_grace_ms", round(settings.connection_grace_seconds * 1000)),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", LEAST_PING_INTERVAL_MS),
        ("grpc.http2.max_ping_strikes", MAX_PING_STRIKES),
        # Another process on the port is a mistake to hear of, unless it is meant so.
        ("grpc.so_reuseport", int(shares_port)),
    )
