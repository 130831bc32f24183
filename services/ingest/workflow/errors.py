"""What may go wrong on the way, as errors that tell a person what to do."""

import grpc

from services.runtime.errors import FailedPrecondition, ServiceError, Unavailable


class SourceUnavailable(Unavailable):
    """The source does not give what was asked for, though it was asked more than once."""

    reason = "SOURCE_UNAVAILABLE"


class SourceRefuses(FailedPrecondition):
    """The source's answer will not get better by asking again."""

    reason = "SOURCE_REFUSES"


class TooManyBadRows(FailedPrecondition):
    """More rows were refused than a run may leave behind."""

    reason = "TOO_MANY_BAD_ROWS"


class RunActive(FailedPrecondition):
    """One run of a pipeline at a time."""

    reason = "RUN_ACTIVE"

    def __init__(self, pipeline: str, run_id: str) -> None:
        super().__init__(
            f"run {run_id} of {pipeline} is active; wait for its end (WatchRun) or cancel it (CancelRun)",
            metadata={"run_id": run_id, "pipeline": pipeline},
        )


class NotReplayable(FailedPrecondition):
    """There is nothing that could be validated again."""

    reason = "NOT_REPLAYABLE"


class CompaniesNeverLoaded(FailedPrecondition):
    """Payments mean nothing without the catalogue."""

    reason = "COMPANIES_NEVER_LOADED"

    def __init__(self) -> None:
        super().__init__("companies were never loaded; run the pipeline companies first")


class IndexNotPublished(FailedPrecondition):
    """The index in service stays; the candidate is kept and explained."""

    reason = "INDEX_NOT_PUBLISHED"

    def __init__(self, version: str, why: str) -> None:
        super().__init__(f"index version {version} was not published: {why}")


class WatermarkNotMoved(FailedPrecondition):
    """The ledger does not say what the load was asked for."""

    reason = "WATERMARK_NOT_MOVED"


class PeerRefused(ServiceError):
    """Another service refused a call; its code and what it said."""

    reason = "PEER_REFUSED"

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class LeadershipLost(Exception):
    """Another process leads, or has taken the run: its former holder must leave everything alone."""
