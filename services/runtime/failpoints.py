"""Named places where a process dies or freezes at once, to see what a crash there leaves. None is armed in service.

AFIN_FAILPOINT=place[:passing[:stop]], e.g. `load.before_commit:2`: SIGKILL at the second passing; with `stop`, SIGSTOP.
"""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

VARIABLE = "AFIN_FAILPOINT"
ACTIONS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}

log = structlog.get_logger(__name__)


class Failpoint(StrEnum):
    """Where a crash hurts most: ingest's in the order in which a run passes them, the warehouse's, the indexer's."""

    LEADER_ELECTED = "leader.elected"
    RUN_TAKEN = "run.taken"
    STEP_BEGUN = "step.begun"
    PART_WRITTEN = "lake.part_written"
    BEFORE_MANIFEST = "lake.before_manifest"
    AFTER_MANIFEST = "lake.after_manifest"
    LOAD_REQUESTED = "load.requested"
    LOAD_ANSWERED = "load.answered"
    MANIFEST_REPLACED = "erasure.manifest_replaced"
    RECEIPT_RENEWED = "erasure.receipt_renewed"
    OBJECT_DELETED = "erasure.object_deleted"
    BEFORE_STEP_COMPLETE = "step.before_complete"
    STEP_COMPLETED = "step.completed"
    FEEDBACK_STORED = "feedback.stored"
    FEEDBACK_MERGED = "feedback.merged"
    LOAD_BEGUN = "load.begun"
    LOAD_STAGED = "load.staged"
    LOAD_MERGED = "load.merged"
    BEFORE_COMMIT = "load.before_commit"
    AFTER_COMMIT = "load.after_commit"
    ROWS_READ = "index.rows_read"
    TRAINED = "index.trained"
    FILE_STORED = "index.file_stored"
    VERSION_STORED = "index.version_stored"
    BUILD_RECORDED = "index.build_recorded"
    INSPECTED = "index.inspected"
    VALIDATED = "index.validated"
    PUBLISHED = "index.published"
    RECORD_REMOVED = "index.record_removed"
    WITHDRAWN = "index.withdrawn"
    FILE_REMOVED = "index.file_removed"


@dataclass
class _Armed:
    place: Failpoint
    passings_left: int
    action: signal.Signals


_armed: _Armed | None = None


def passing(place: Failpoint) -> None:
    """Says that this place is passed: ends or freezes the process where that was asked for."""
    if _armed is None or _armed.place is not place:
        return
    _armed.passings_left -= 1
    if _armed.passings_left == 0:
        os.kill(os.getpid(), _armed.action)


def arm_failpoint(environment: Mapping[str, str]) -> None:
    """Arms what the environment asks for, told in the log; a wrong value is one line, and exit code 2."""
    global _armed  # noqa: PLW0603 - one a process, set once at its start
    wanted = environment.get(VARIABLE)
    if not wanted:
        return
    try:
        _armed = _parsed(wanted)
    except ValueError as error:
        print(f"{VARIABLE}: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    log.warning("failpoint armed", failpoint=wanted)


def _parsed(text: str) -> _Armed:
    name, _, rest = text.partition(":")
    count, _, action = rest.partition(":")
    if name not in list(Failpoint):
        raise ValueError(f"there is no place {name!r}; there are {', '.join(Failpoint)}")
    if not (count or "1").isdecimal() or int(count or "1") < 1 or (action or "kill") not in ACTIONS:
        raise ValueError(f"{text!r} is not place[:passing[:stop]] with a passing of 1 or more")
    return _Armed(Failpoint(name), int(count or "1"), ACTIONS[action or "kill"])
