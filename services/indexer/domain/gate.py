"""The quality gate: what an index version must have shown on its hold-out before it may be published."""

from dataclasses import dataclass

from services.contracts.bundle import Check, Quality, TaskQuality

BEATS_POPULARITY = "beats_popularity"
NOT_WORSE = "not_worse_than_in_service"


@dataclass(frozen=True, slots=True)
class GateRules:
    """`min_gain`: least NDCG above popularity's; `tolerance`: how much of the NDCG in service may be lost, as a share.

    With fewer than `min_clients` judged clients a hold-out says too little to refuse anything.
    """

    min_gain: float = 0.0
    tolerance: float = 0.2
    min_clients: int = 20


def quality_checks(candidate: Quality | None, in_service: Quality | None, rules: GateRules) -> tuple[Check, ...]:
    """Both checks look at companies never paid before; repeats are easy."""
    ours = candidate.new if candidate else None
    if ours is None or ours.clients < rules.min_clients:
        judged = ours.clients if ours else 0
        detail = f"too few clients to judge: {judged} in the hold-out, asked are {rules.min_clients}"
        return (
            Check(name=BEATS_POPULARITY, passed=True, detail=detail),
            Check(name=NOT_WORSE, passed=True, detail=detail),
        )
    return (_beats_popularity(ours, rules), _not_worse(ours, in_service.new if in_service else None, rules))


def _beats_popularity(ours: TaskQuality, rules: GateRules) -> Check:
    detail = (
        f"NDCG@10 for new companies {ours.ndcg:.4f}, popularity {ours.popularity_ndcg:.4f}: gain {ours.gain:+.4f} "
        f"(95 % interval {ours.gain_low:+.4f} to {ours.gain_high:+.4f}, {ours.clients} clients); "
        f"asked is at least {rules.min_gain:+.4f} (INDEXER_MIN_GAIN)"
    )
    return Check(name=BEATS_POPULARITY, passed=ours.gain >= rules.min_gain, detail=detail)


def _not_worse(ours: TaskQuality, theirs: TaskQuality | None, rules: GateRules) -> Check:
    if theirs is None:
        return Check(name=NOT_WORSE, passed=True, detail="nothing in service to compare with")
    least = theirs.ndcg * (1 - rules.tolerance)
    detail = (
        f"NDCG@10 for new companies {ours.ndcg:.4f}, in service {theirs.ndcg:.4f}, each on its own hold-out; "
        f"asked is at least {least:.4f} ({rules.tolerance:.0%} less: INDEXER_QUALITY_TOLERANCE)"
    )
    return Check(name=NOT_WORSE, passed=ours.ndcg >= least, detail=detail)
