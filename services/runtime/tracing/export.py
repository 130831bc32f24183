"""Sends spans to a collector by OTLP over gRPC, in batches, from a thread of its own; what does not fit is dropped.

This module alone needs OpenTelemetry's SDK, whose import takes a third of a second: it is imported where a collector is
set.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler, SamplingResult, TraceIdRatioBased

from services.runtime.tracing.spans import TRACE_ID, using
from services.runtime.version import code_version

DELAY = timedelta(seconds=1)
# Of one try to send a batch, and of all that is left when the process ends.
PATIENCE = timedelta(seconds=3)
QUEUE, BATCH = 2048, 512


@contextmanager
def exporting(service: str, url: str, share: float) -> Iterator[None]:
    """Spans of this process go to `url` inside. `share` of the traces that begin here are kept, and every run's."""
    provider = TracerProvider(
        sampler=ParentBased(_Share(share)),
        resource=Resource.create(
            {"service.name": service, "service.namespace": "afin", "service.version": code_version()}
        ),
        shutdown_on_exit=False,
        id_generator=_Ids(),
    )
    exporter = OTLPSpanExporter(
        endpoint=url,
        timeout=PATIENCE.total_seconds(),
        channel_options=(("grpc.enable_http_proxy", 0),),  # type: ignore[arg-type] # as OTLP's type has it, no number
    )
    milliseconds = DELAY.total_seconds() * 1000
    provider.add_span_processor(BatchSpanProcessor(exporter, QUEUE, milliseconds, BATCH))
    with using(provider.get_tracer("afin", code_version())):
        try:
            yield
        finally:
            _shut_down(provider)


def _shut_down(provider: TracerProvider) -> None:
    """Sends what is left, but waits for no collector that is away."""
    leaving = threading.Thread(target=provider.shutdown, daemon=True)
    leaving.start()
    leaving.join(PATIENCE.total_seconds())


class _Ids(RandomIdGenerator):
    """A run's trace has the run's id."""

    def generate_trace_id(self) -> int:
        return TRACE_ID.get() or super().generate_trace_id()


class _Share(Sampler):
    """Whether a trace is kept that begins here: the share of calls, all runs. A run's id is not evenly distributed."""

    def __init__(self, share: float) -> None:
        self._of_calls = TraceIdRatioBased(share)

    def should_sample(self, *arguments: Any, **named: Any) -> SamplingResult:
        """See Sampler."""
        chosen = self._of_calls if TRACE_ID.get() is None else ALWAYS_ON
        return chosen.should_sample(*arguments, **named)

    def get_description(self) -> str:
        """See Sampler."""
        return f"afin: every run, and of calls {self._of_calls.get_description()}"
