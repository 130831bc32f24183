"""What is known and told of every call, whichever kind of server took it: metrics, one log line, audit, its error.

Metric names are those of the gRPC ecosystem's Prometheus middlewares. All that can be looked up once a method is: this
runs around every call.
"""

import time
from typing import Any

import grpc
import structlog
from google.protobuf import descriptor_pool
from prometheus_client import Counter, Histogram

from services.runtime.access.admission import Admission
from services.runtime.access.audit import audit
from services.runtime.access.keys import Principal
from services.runtime.errors import DETAILS_TRAILER, OVERLOADED, ServiceError
from services.runtime.telemetry import RPC

STARTED = Counter("grpc_server_started_total", "Calls begun.", ["grpc_type", "grpc_service", "grpc_method"])
HANDLED = Counter(
    "grpc_server_handled_total", "Calls ended.", ["grpc_type", "grpc_service", "grpc_method", "grpc_code"]
)
SECONDS = Histogram(
    "grpc_server_handling_seconds",
    "Time of calls.",
    ["grpc_type", "grpc_service", "grpc_method"],
    # From a plain recommendation to a build of the index.
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
SHED = Counter("afin_calls_shed_total", "Calls refused or dropped because there were too many.", ["why"])
# From zero on, as all others here: what comes first must show as an increase.
for _why in ("refused", "gone", "no request"):
    SHED.labels(_why)
HEALTH, REFLECTION = "/grpc.health.", "/grpc.reflection."
UNARY = "unary"
SERVER_STREAM = "server_stream"
# By whether requests, and whether answers, are streamed.
KINDS = {
    (False, False): UNARY,
    (False, True): SERVER_STREAM,
    (True, False): "client_stream",
    (True, True): "bidi_stream",
}
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


def count_from_zero(service: str) -> None:
    """Makes all series of a service's RPCs, by its full proto name: no first call or error must go unseen."""
    try:
        methods = descriptor_pool.Default().FindServiceByName(service).methods
    except KeyError:  # not made from a proto
        return
    for method in methods:
        labels = (KINDS[method.client_streaming, method.server_streaming], service, method.name)
        STARTED.labels(*labels)
        SECONDS.labels(*labels)
        for code in grpc.StatusCode:
            HANDLED.labels(*labels, code.name)


def refusal(error: ServiceError) -> Trailer:
    """Logs what the caller did wrong or must wait for; the trailer that tells it to programs.

    Calls refused for their number are counted alone: a line for each would take the time that refusals must not take.
    """
    if error.reason != OVERLOADED:
        log.info("call refused", code=error.code.name, reason=error.reason)
    return ((DETAILS_TRAILER, error.to_status().SerializeToString()),)
