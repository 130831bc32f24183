"""JSON logs on stdout and metrics over HTTP, the same for every service.

An event is a short constant phrase; data are fields. No client id, row or connection string may be among them.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import Gauge, start_http_server

from services.runtime.settings import ServiceSettings
from services.runtime.version import code_version

BUILD_INFO = Gauge("afin_build_info", "Always 1; which code runs.", ["service", "version"])


def configure_logging(service: str, level: str) -> None:
    """Sends structlog and the standard library's loggers as one JSON object a line to stdout."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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
    structlog.contextvars.bind_contextvars(service=service)


@contextmanager
def telemetry(service: str, settings: ServiceSettings) -> Iterator[None]:
    """Logs and the Prometheus endpoint for as long as the process works."""
    configure_logging(service, settings.log_level)
    BUILD_INFO.labels(service, code_version()).set(1)
    server, thread = _metrics_server(settings)
    structlog.get_logger(__name__).info("metrics listening", port=server.server_port)
    try:
        yield
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


def _metrics_server(settings: ServiceSettings) -> tuple[WSGIServer, Thread]:
    try:
        return start_http_server(settings.metrics_port, settings.host)
    except OSError as error:
        address = f"{settings.host}:{settings.metrics_port}"
        raise SystemExit(
            f"cannot serve metrics on {address}: {error.strerror}; name another METRICS_PORT or HOST"
        ) from None
