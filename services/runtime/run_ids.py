"""The id of the run on whose behalf a call is made: log lines of asyncio servers carry it, with tracing or without."""

import re
from typing import Any

import grpc
import structlog

from services.runtime.sent_metadata import Pairs, metadata_interceptors

HEADER = "afin-run-id"
# Whatever else a caller sends is not taken into a log.
RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def bind_run(context: Any) -> None:
    """Tells the run to what is logged in this context of variables, the call's own."""
    for name, value in context.invocation_metadata() or ():
        if name == HEADER and isinstance(value, str) and RUN_ID.fullmatch(value):
            structlog.contextvars.bind_contextvars(run_id=value)
            return


def run_id_interceptors() -> tuple[grpc.aio.ClientInterceptor, ...]:
    """Send the run that the log lines of the caller carry; for unary calls and for those with a stream of answers."""
    return metadata_interceptors(_run)


def _run() -> Pairs:
    run_id = structlog.contextvars.get_contextvars().get("run_id")
    return () if run_id is None else ((HEADER, str(run_id)),)
