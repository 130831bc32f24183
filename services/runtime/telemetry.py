"""JSON logs on stdout, metrics over HTTP and traces, the same for every service.

An event is a short constant phrase; data are fields. No client id, row or connection string may be among them: of an
exception the log tells types and places, never its message, which may quote any of them.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Gauge, disable_created_metrics, start_http_server
from structlog.tracebacks import ExceptionDictTransformer

from services.runtime.access.audit import LOGGER as AUDIT_LOGGER
from services.runtime.settings import ProcessSettings
from services.runtime.tracing.spans import current_ids
from services.runtime.version import code_version

BUILD_INFO = Gauge("afin_build_info", "Always 1; which code runs.", ["version"], multiprocess_mode="livemax")

# The method of the call at work. Not by structlog's contextvars, which cost some microseconds a call.
RPC: ContextVar[str] = ContextVar("rpc")

_TRACEBACK = ExceptionDictTransformer(show_locals=False)


def _types_and_places(exc_info: structlog.typing.ExcInfo) -> list[dict[str, Any]]:
    """Each exception of the chain: its type, and the file, line and function of its frames."""
    return [_without_message(exception) for exception in _TRACEBACK(exc_info)]


def _without_message(exception: dict[str, Any]) -> dict[str, Any]:
    frames = [f"{frame['filename']}:{frame['lineno']} {frame['name']}" for frame in exception["frames"]]
    group = [[_without_message(each) for each in chain] for chain in exception["exceptions"]]
    return {"type": exception["exc_type"], "frames": frames, **({"group": group} if group else {})}


def configure_logging(service: str, level: str, *, traced: bool = False) -> None:
    """Sends structlog and the standard library's loggers as one JSON object a line to stdout.

    `traced`: each with the trace and span that it was logged in.
    """

    # Not by contextvars, of which a call in a thread server has none but its own.
    def name_service(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"service": service, **event}

    shared: list[structlog.typing.Processor] = [
        name_service,
        _name_rpc,
        *([_name_trace] if traced else []),
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_types_and_places),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    render: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    ]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=render, foreign_pre_chain=shared))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Whatever else is not told: who did what is.
    logging.getLogger(AUDIT_LOGGER).setLevel(logging.INFO)


def _name_rpc(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    rpc = RPC.get(None)
    return {"rpc": rpc, **event} if rpc else event


def _name_trace(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {**current_ids(), **event}


@contextmanager
def telemetry(service: str, settings: ProcessSettings, registry: CollectorRegistry | None = REGISTRY) -> Iterator[None]:
    """Logs, traces and the Prometheus endpoint for as long as the process works; no endpoint without a `registry`."""
    configure_logging(service, settings.log_level, traced=settings.traces_url is not None)
    # Nobody asks when a series began, and they would be as many as the series.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    BUILD_INFO.labels(code_version()).set(1)
    with _traces(service, settings), _metrics(settings, registry):
        yield


@contextmanager
def _traces(service: str, settings: ProcessSettings) -> Iterator[None]:
    if settings.traces_url is None:
        yield
        return
    from services.runtime.tracing.export import exporting  # noqa: PLC0415 - its docstring says why

    with exporting(service, settings.traces_url, settings.traces_share):
        yield


@contextmanager
def _metrics(settings: ProcessSettings, registry: CollectorRegistry | None) -> Iterator[None]:
    if registry is None:
        yield
        return
    server, thread = _metrics_server(settings, registry)
    structlog.get_logger(__name__).info("metrics listening", port=server.server_port)
    try:
        yield
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


def _metrics_server(settings: ProcessSettings, registry: CollectorRegistry) -> tuple[WSGIServer, Thread]:
    try:
        return start_http_server(settings.metrics_port, settings.host, registry)
    except OSError as error:
        address = f"{settings.host}:{settings.metrics_port}"
        raise SystemExit(
            f"cannot serve metrics on {address}: {error.strerror}; name another METRICS_PORT or HOST"
        ) from None
