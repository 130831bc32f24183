"""The quality gate: what an index version must have shown on its hold-out before it may be published."""

from dataclasses import dataclass
from datetime import datetime

from services.contracts.bundle import Check, Quality, TaskQuality

BEATS_POPULARITY = "beats_popularity"
NOT_WORSE = "not_worse_than_in_service"
NOT_OLDER = "not_older_than_in_service"


@dataclass(frozen=True, slots=True)
class GateRules:
    """`min_gain`: the NDCG above popularity's must exceed it.

    `tolerance`: how much of the NDCG in service may be lost, as a share.

    A hold-out of fewer than `min_clients` clients says too little to refuse anything, unless the version in service
    was judged by enough.
    """

    min_gain: float = 0.0
    tolerance: float = 0.2
    min_clients: int = 20


def quality_checks(candidate: Quality | None, in_service: Quality | None, rules: GateRules) -> tuple[Check, ...]:
    """Both checks look at companies never paid before; repeats are easy."""
    ours, theirs = _judged(candidate, rules), _judged(in_service, rules)
    if ours is None:
        found = candidate.new.clients if candidate and candidate.new else 0
        detail = f"too few clients to judge: {found} in the hold-out, asked are {rules.min_clients}"
        if theirs is not None:  # a few odd dates must not switch the gate off
            detail += f"; the version in service was judged by {theirs.clients}: see the dates of the newest payments"
        return (
            Check(name=BEATS_POPULARITY, passed=True, detail=detail),
            Check(name=NOT_WORSE, passed=theirs is None, detail=detail),
        )
    return (_beats_popularity(ours, rules), _not_worse(ours, theirs, rules))


def age_check(candidate: datetime | None, in_service: datetime | None) -> Check:
    """Only a rollback goes back in time: a version that knows less than the one in service is not published."""
    passed = in_service is None or (candidate is not None and candidate >= in_service)
    detail = f"watermark {_moment(candidate)}, in service {_moment(in_service)}"
    return Check(name=NOT_OLDER, passed=passed, detail=detail)


def _moment(moment: datetime | None) -> str:
    return moment.isoformat() if moment else "none"


def _judged(quality: Quality | None, rules: GateRules) -> TaskQuality | None:
    """The quality for new companies, where enough clients stand behind it."""
    judged = quality.new if quality else None
    return judged if judged and judged.clients >= rules.min_clients else None


def _beats_popularity(ours: TaskQuality, rules: GateRules) -> Check:
    detail = (
        f"NDCG@10 for new companies {ours.ndcg:.4f}, popularity {ours.popularity_ndcg:.4f}: gain {ours.gain:+.4f} "
        f"(95 % interval {ours.gain_low:+.4f} to {ours.gain_high:+.4f}, {ours.clients} clients); "
        f"asked is more than {rules.min_gain:+.4f} (INDEXER_MIN_GAIN)"
    )
    return Check(name=BEATS_POPULARITY, passed=ours.gain > rules.min_gain, detail=detail)


def _not_worse(ours: TaskQuality, theirs: TaskQuality | None, rules: GateRules) -> Check:
    if theirs is None:
        return Check(name=NOT_WORSE, passed=True, detail="nothing in service to compare with")
    least = theirs.ndcg * (1 - rules.tolerance)
    detail = (
        f"NDCG@10 for new companies {ours.ndcg:.4f}, in service {theirs.ndcg:.4f}, each on its own hold-out; "
        f"asked is at least {least:.4f} ({rules.tolerance:.0%} less: INDEXER_QUALITY_TOLERANCE)"
    )
    return Check(name=NOT_WORSE, passed=ours.ndcg >= least, detail=detail)
