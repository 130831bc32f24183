"""What a log tells of an exception, in a process of its own: logging belongs to the whole process."""

import json
import subprocess
import sys

SECRET = "client-47"
FAILING = f"""
import logging
import structlog
from services.runtime.telemetry import configure_logging

def fail():
    try:
        raise KeyError("{SECRET}")
    except KeyError as error:
        raise ExceptionGroup("{SECRET}", [ValueError("{SECRET}")]) from error

configure_logging("test", "INFO")
for logger in (structlog.get_logger("ours"), logging.getLogger("foreign")):
    try:
        fail()
    except ExceptionGroup:
        logger.exception("failed by a bug")
"""
AUDITING = """
import structlog
from services.runtime.access.audit import audit
from services.runtime.telemetry import configure_logging

configure_logging("test", "ERROR")
structlog.get_logger("ours").info("not told")
audit("alice", "ipv4:127.0.0.1:1", "OK", None, None)
"""
TRACED = """
import structlog
from opentelemetry import trace
from services.runtime.telemetry import configure_logging

configure_logging("test", "INFO", traced=True)
log = structlog.get_logger("ours")
log.info("outside")
context = trace.SpanContext(0xabc, 0xdef, is_remote=False)
with trace.use_span(trace.NonRecordingSpan(context)):
    log.info("inside")
"""


def test_an_exception_is_told_by_types_and_places_and_never_by_its_message() -> None:
    done = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, check=True)

    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert SECRET not in done.stdout + done.stderr
    assert [(line["logger"], line["event"]) for line in lines] == [
        ("ours", "failed by a bug"),
        ("foreign", "failed by a bug"),
    ]
    for exceptions in (line["exception"] for line in lines):
        assert [each["type"] for each in exceptions] == ["ExceptionGroup", "KeyError"]
        assert exceptions[0]["group"][0][0]["type"] == "ValueError"
        assert any(frame.endswith(" fail") for frame in exceptions[0]["frames"])


def test_audit_is_told_whatever_else_is_not() -> None:
    done = subprocess.run([sys.executable, "-c", AUDITING], capture_output=True, text=True, check=True)

    (line,) = [json.loads(line) for line in done.stdout.splitlines()]

    assert (line["logger"], line["event"], line["who"]) == ("audit", "call", "alice")


def test_a_line_names_trace_and_span_where_work_has_one() -> None:
    done = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True, check=True)

    outside, inside = [json.loads(line) for line in done.stdout.splitlines()]

    assert "trace_id" not in outside
    assert (inside["trace_id"], inside["span_id"]) == ("abc".zfill(32), "def".zfill(16))
