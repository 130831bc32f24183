"""What a request may say; everything else is InvalidArgument naming the field."""

import re
from datetime import timedelta

from afin.indexer.v1 import indexer_pb2
from services.contracts.variants import ROLES, is_experiment_name
from services.indexer.domain.publications import is_version
from services.indexer.domain.retention import Keep
from services.runtime.errors import InvalidArgument
from services.runtime.paging import page_size, place_of_token, wrong_token

BUILD_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
USUAL_PAGE = 20
LARGEST_PAGE = 200
MAX_REASON = 500
OUTCOMES = (indexer_pb2.EXPERIMENT_OUTCOME_PROMOTED, indexer_pb2.EXPERIMENT_OUTCOME_DISCARDED)
MOST_KEPT = 1000
MOST_KEPT_SECONDS = 3650 * 24 * 3600


def checked_build_id(build_id: str) -> str:
    """1 to 128 characters of [A-Za-z0-9._-]."""
    if not BUILD_ID.fullmatch(build_id):
        raise InvalidArgument("build_id", "must be 1 to 128 characters of A-Z, a-z, 0-9, '.', '_' and '-'")
    return build_id


def checked_version(version: str, field: str = "version") -> str:
    """The name of a version: it becomes part of object keys."""
    if not is_version(version):
        raise InvalidArgument(field, "must be a version's name as ListIndexVersions gives it")
    return version


def checked_reason(reason: str, field: str = "reason") -> str:
    """1 to 500 characters, not all blank."""
    if not reason.strip() or len(reason) > MAX_REASON:
        raise InvalidArgument(field, f"must be 1 to {MAX_REASON} characters that say why")
    return reason


def checked_override(reason: str, *, publish: bool) -> str:
    """Empty, or as `checked_reason`; it only means something where publication is asked for."""
    if not reason:
        return ""
    if not publish:
        raise InvalidArgument("override_reason", "goes with `publish`: without it nothing is published")
    return checked_reason(reason, "override_reason")


def checked_experiment(name: str) -> str:
    """What may name an experiment."""
    if not is_experiment_name(name):
        problem = f"must be 1 to 40 characters of a-z, 0-9 and '-', but neither {' nor '.join(ROLES)}"
        raise InvalidArgument("experiment", problem)
    return name


def checked_share(share: float) -> float:
    """Between 0 and 1; at their ends there is nothing to compare."""
    if not 0 < share < 1:
        raise InvalidArgument("share", "must be more than 0 and less than 1; StopExperiment ends an experiment")
    return share


def checked_outcome(outcome: indexer_pb2.ExperimentOutcome.ValueType) -> bool:
    """Whether the challenger is promoted; not saying it is refused."""
    if outcome not in OUTCOMES:
        raise InvalidArgument(
            "outcome", f"must be one of {', '.join(map(indexer_pb2.ExperimentOutcome.Name, OUTCOMES))}"
        )
    return outcome == indexer_pb2.EXPERIMENT_OUTCOME_PROMOTED


def checked_keep(request: indexer_pb2.PruneIndexVersionsRequest, usual: Keep) -> Keep:
    """What a caller leaves out is as usual."""
    if not 0 <= request.keep_newest <= MOST_KEPT:
        raise InvalidArgument("keep_newest", f"must be 1 to {MOST_KEPT}, or 0 for {usual.newest}")
    if not request.HasField("keep_in_service_within"):
        return Keep(request.keep_newest or usual.newest, usual.within)
    seconds = request.keep_in_service_within.seconds
    if not 0 <= seconds <= MOST_KEPT_SECONDS:
        raise InvalidArgument("keep_in_service_within", f"must be 0 to {MOST_KEPT_SECONDS} s")
    return Keep(request.keep_newest or usual.newest, timedelta(seconds=seconds))


def checked_page_size(size: int) -> int:
    """1 to 200; 0 means 20."""
    return page_size(size, LARGEST_PAGE, USUAL_PAGE)


def version_of_token(token: str) -> str:
    """The version to go on after; empty for the first page."""
    place = place_of_token(token)
    if place and not is_version(place):
        raise wrong_token()
    return place


def epoch_of_token(token: str) -> int:
    """The epoch to go on below; 0 for the first page."""
    place = place_of_token(token)
    if place and not re.fullmatch("[1-9][0-9]{0,9}", place, re.ASCII):
        raise wrong_token()
    return int(place or 0)
