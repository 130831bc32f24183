"""A collector of OpenTelemetry on a real gRPC port, that keeps the spans it is sent."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as rpc

WAIT_SECONDS = 60


@dataclass(frozen=True)
class Received:
    """A span, and the service that sent it; ids in hexadecimal."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    attributes: dict[str, Any] = field(hash=False)
    error: str | None


class Collector(rpc.TraceServiceServicer):
    """What was received, as it came (`raw`) and span by span."""

    def __init__(self) -> None:
        self.url = ""
        self.raw: list[bytes] = []
        self._spans: list[Received] = []
        self._came = threading.Condition()

    def Export(self, request: pb.ExportTraceServiceRequest, context: Any) -> pb.ExportTraceServiceResponse:  # noqa: N802
        """Takes spans in."""
        with self._came:
            self.raw.append(request.SerializeToString())
            self._spans += _read(request)
            self._came.notify_all()
        return pb.ExportTraceServiceResponse()

    def wait_for(self, *names: str, trace_id: str = "") -> None:
        """Until spans of all these names are here, of one trace or of any; it fails where they do not come."""

        def found() -> set[str]:
            return {each.name for each in self._spans if each.trace_id.startswith(trace_id)}

        with self._came:
            assert self._came.wait_for(lambda: set(names) <= found(), WAIT_SECONDS), (names, found())

    def trace(self, trace_id: str, *names: str) -> list[Received]:
        """All spans of a trace that are here once those of these names are."""
        self.wait_for(*names, trace_id=trace_id)
        with self._came:
            return [each for each in self._spans if each.trace_id == trace_id]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector at work, on a free port."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(4))
    rpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    collector.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(None).wait()


def _read(request: pb.ExportTraceServiceRequest) -> Iterator[Received]:
    for resource in request.resource_spans:
        service = _values(resource.resource.attributes)["service.name"]
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            yield Received(
                service=service,
                name=span.name,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                kind=span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                attributes=_values(span.attributes),
                error=span.status.message if span.status.code == span.status.STATUS_CODE_ERROR else None,
            )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
