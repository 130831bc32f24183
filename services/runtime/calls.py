"""What is known and told of every call, whichever kind of server took it: metrics, one log line, audit, its error.

Metric names are those of the gRPC ecosystem's Prometheus middlewares. All that can be looked up once a method is: this
runs around every call.
"""

import time
from typing import Any

import grpc
import structlog
from prometheus_client import Counter, Histogram

from services.runtime.access.admission import Admission
from services.runtime.access.audit import audit
from services.runtime.access.keys import Principal
from services.runtime.errors import DETAILS_TRAILER, ServiceError
from services.runtime.telemetry import RPC

STARTED = Counter("grpc_server_started_total", "Calls begun.", ["grpc_type", "grpc_service", "grpc_method"])
HANDLED = Counter(
    "grpc_server_handled_total", "Calls ended.", ["grpc_type", "grpc_service", "grpc_method", "grpc_code"]
)
SECONDS = Histogram("grpc_server_handling_seconds", "Time of calls.", ["grpc_type", "grpc_service", "grpc_method"])
SHED = Counter("afin_calls_shed_total", "Calls refused or dropped because there were too many.", ["why"])
HEALTH, REFLECTION = "/grpc.health.", "/grpc.reflection."
UNARY = "unary"
SERVER_STREAM = "server_stream"
BUG = "internal error; the service's log tells more"

Trailer = tuple[tuple[str, bytes], ...]

log = structlog.get_logger(__name__)


class Call:
    """One call under way: who makes it, and how it ends."""

    __slots__ = ("answer", "began", "code", "context", "request", "who")

    def __init__(self, request: object, context: Any) -> None:
        self.request = request
        self.context = context
        self.began = time.perf_counter()
        self.code = grpc.StatusCode.OK
        self.who = ""
        self.answer: object = None


class Method:
    """One RPC as metrics and logs know it: /package.Service/Name, unary or server_stream, and who may call it."""

    def __init__(self, path: str, kind: str, admission: Admission) -> None:
        service, _, name = path.lstrip("/").partition("/")
        self._path = path
        self._admission = admission
        self._rpc = admission.rpc(path)
        self._labels = (kind, service, name)
        self._started = STARTED.labels(*self._labels)
        self._seconds = SECONDS.labels(*self._labels)
        self._ok = HANDLED.labels(*self._labels, grpc.StatusCode.OK.name)
        self._is_audited = self._rpc.is_audited

    def begin(self, request: object, context: Any) -> "Call":
        """Counts a call, and tells its method to what is logged in this context of variables, the call's own."""
        self._started.inc()
        RPC.set(self._path)
        return Call(request, context)

    def admit(self, call: "Call") -> Principal:
        """Notes who calls; Unauthenticated or PermissionDenied where they may not."""
        caller = self._admission.admit(self._rpc, call.request, call.context)
        call.who = caller.name
        return caller

    def end(self, call: "Call") -> None:
        """Counts how the call ended and how long it took, and writes down one that operates or administers."""
        code = call.code
        (self._ok if code is grpc.StatusCode.OK else HANDLED.labels(*self._labels, code.name)).inc()
        self._seconds.observe(time.perf_counter() - call.began)
        if self._is_audited:
            who = call.who or self._admission.name(call.context)
            audit(who, call.context.peer(), code.name, call.request, call.answer)


def refusal(error: ServiceError) -> Trailer:
    """Logs what the caller did wrong or must wait for; the trailer that tells it to programs."""
    log.info("call refused", code=error.code.name, reason=error.reason)
    return ((DETAILS_TRAILER, error.to_status().SerializeToString()),)
