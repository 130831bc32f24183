"""What the thread server uses of grpcio that is not its public face, and a look whether it is there.

The lock file fixes grpcio's version; ADR 0023 says what to do when another lacks one of these.
"""

from inspect import signature
from typing import Any

import grpc
from grpc import _server as inside
from grpc._cython import cygrpc  # type: ignore[attr-defined]

# Of grpc._server, with the names of their parameters; None for what is no function.
USED = {
    "_receive_message": ("state", "call", "request_deserializer"),
    "_is_rpc_state_active": ("state",),
    "_abort": ("state", "call", "code", "details"),
    "_request_call": ("state",),
    "_request_registered_call": ("state", "method"),
    "_process_event_and_continue": ("state", "event"),
    "_stop_serving": ("state",),
    "_begin_shutdown_once": ("state",),
    "_stream_response_in_pool": (
        "rpc_event",
        "state",
        "behavior",
        "argument_thunk",
        "request_deserializer",
        "response_serializer",
    ),
    "_send_message": ("state", "token"),
    "_get_initial_metadata_operation": ("state", "metadata"),
    "_status": ("rpc_event", "state", "serialized_response"),
    "_ServerStage": None,
    "_RECEIVE_MESSAGE_TOKEN": None,
    "_SEND_MESSAGE_TOKEN": None,
    "_SEND_INITIAL_METADATA_AND_SEND_MESSAGE_TOKEN": None,
}
# Of grpc._cython.cygrpc, which has no signatures.
USED_OF_CORE = (
    "ReceiveMessageOperation",
    "ReceiveCloseOnServerOperation",
    "SendInitialMetadataOperation",
    "SendMessageOperation",
    "SendStatusFromServerOperation",
    "CompletionType",
    "auth_context",
    "peer_identities",
    "peer_identity_key",
)


def require_inside(module: Any = inside, core: Any = cygrpc) -> None:
    """SystemExit where grpcio is not as we use it."""
    wrong = next((f"grpc._server.{name}" for name in USED if not _is_as_used(module, name)), None)
    lacking = next((f"grpc._cython.cygrpc.{name}" for name in USED_OF_CORE if not hasattr(core, name)), None)
    if wrong or lacking:
        raise SystemExit(
            f"grpcio {grpc.__version__}: {wrong or lacking} is not what services/runtime uses of it; "
            "install the version of the lock file, or see docs/adr/0023"
        )


def _is_as_used(module: Any, name: str) -> bool:
    found = getattr(module, name, None)
    if found is None or USED[name] is None:
        return found is not None
    return callable(found) and tuple(signature(found).parameters) == USED[name]
