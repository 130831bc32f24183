"""The gate: what an index version must have shown before it may be published, beside being sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.contracts.bundle import IndexManifest, Quality, TaskQuality
from services.contracts.validation import Check, Comparison, PairedQuality, Turnover

BEATS_POPULARITY = "beats_popularity"
NOT_WORSE = "not_worse_than_in_service"
NOT_WORSE_REPEATS = "not_worse_with_repeats"
NOT_OLDER = "not_older_than_in_service"
NO_GREAT_LOSS = "knows_what_is_in_service"
ALIKE = "answers_like_in_service"
# An operator may publish a version that failed these; what else is asked is whether it can be served at all.
OVERRIDABLE = frozenset({BEATS_POPULARITY, NOT_WORSE, NOT_WORSE_REPEATS, NOT_OLDER, NO_GREAT_LOSS, ALIKE})
NOTHING = "nothing in service to compare with"


@dataclass(frozen=True, slots=True)
class GateRules:
    """`min_gain`: the NDCG above popularity's must exceed it.

    `tolerance`: how much of the NDCG in service may be lost, as a share; `max_loss`: how much of the payments, clients
    and companies that it knows; `min_overlap`: the share of its answers that must stay. Fewer clients than
    `min_clients` say too little to refuse anything, unless the version in service was judged by enough.
    """

    min_gain: float = 0.0
    tolerance: float = 0.1
    max_loss: float = 0.2
    min_overlap: float = 0.2
    min_clients: int = 20


@dataclass(frozen=True, slots=True)
class InService:
    """What a candidate is held against. `manifest`, `drift`: None when it cannot be read or compared: see `problem`.

    `is_known`: False when it may be whole, and only the comparison broke off.
    """

    manifest: IndexManifest | None
    drift: Comparison | None
    problem: str = ""
    is_known: bool = True


def gate_checks(candidate: IndexManifest, present: InService | None, rules: GateRules) -> tuple[Check, ...]:
    """All that is asked of a sound candidate. `present`: None when nothing, or the candidate itself, is in service."""
    quality = candidate.quality
    if present is None:
        against = (NOT_WORSE, NOT_WORSE_REPEATS, NOT_OLDER, NO_GREAT_LOSS, ALIKE)
        return (beats_popularity(quality, rules), *(Check(name=name, passed=True, detail=NOTHING) for name in against))
    theirs, drift = present.manifest, present.drift
    before = theirs.quality if theirs else None
    new = _Pair(_new(quality), _new(before), drift.new if drift else None)
    repeats = _Pair(_any(quality), _any(before), drift.any if drift else None)
    return (
        beats_popularity(quality, rules),
        _not_worse(NOT_WORSE, new, rules, present.problem),
        _not_worse(NOT_WORSE_REPEATS, repeats, rules, present.problem),
        age_check(candidate.watermark, theirs.watermark if theirs else None),
        loss_check(present, rules),
        overlap_check(present, rules),
    )


def beats_popularity(quality: Quality | None, rules: GateRules) -> Check:
    """By companies never paid before: repeats are easy."""
    ours = _new(quality)
    if ours is None or ours.clients < rules.min_clients:
        return Check(name=BEATS_POPULARITY, passed=True, detail=_too_few(ours, rules))
    detail = (
        f"NDCG@10 for new companies {ours.ndcg:.4f}, popularity {ours.popularity_ndcg:.4f}: gain {ours.gain:+.4f} "
        f"(95 % interval {ours.gain_low:+.4f} to {ours.gain_high:+.4f}, {ours.clients} clients); "
        f"asked is more than {rules.min_gain:+.4f} (INDEXER_MIN_GAIN)"
    )
    return Check(name=BEATS_POPULARITY, passed=ours.gain > rules.min_gain, detail=detail)


def age_check(candidate: datetime | None, in_service: datetime | None) -> Check:
    """Only a rollback goes back in time: a version that knows less than the one in service is not published."""
    passed = in_service is None or (candidate is not None and candidate >= in_service)
    detail = f"watermark {_moment(candidate)}, in service {_moment(in_service)}"
    return Check(name=NOT_OLDER, passed=passed, detail=detail)


def loss_check(present: InService, rules: GateRules) -> Check:
    """A model of half the data may still look good on what is left: what is gone must be few, or meant."""
    if present.drift is None:
        return Check(name=NO_GREAT_LOSS, passed=present.is_known, detail=f"nobody can say: {present.problem}")
    losses = list(_losses(present.drift))
    told = ", ".join(f"{gone:,} of {before:,} {what}" for what, before, gone in losses)
    passed = all(gone <= rules.max_loss * before for _, before, gone in losses)
    detail = f"gone are {told}; asked is at most {rules.max_loss:.0%} of each (INDEXER_MAX_LOSS)"
    return Check(name=NO_GREAT_LOSS, passed=passed, detail=detail)


def overlap_check(present: InService, rules: GateRules) -> Check:
    """Rows put to other companies or clients look as good as the right ones: by themselves nobody can tell."""
    drift = present.drift
    if drift is None:
        return Check(name=ALIKE, passed=present.is_known, detail=f"nobody can say: {present.problem}")
    if drift.overlap_new is None or drift.overlap_any is None or drift.overlap_clients < rules.min_clients:
        return Check(name=ALIKE, passed=True, detail=f"too few clients of both to ask for: {drift.overlap_clients}")
    detail = (
        f"of ten recommendations to {drift.overlap_clients} clients {drift.overlap_new:.0%} of the new ones and "
        f"{drift.overlap_any:.0%} of all are those of the version in service; asked is at least "
        f"{rules.min_overlap:.0%} of each (INDEXER_MIN_OVERLAP)"
    )
    return Check(name=ALIKE, passed=min(drift.overlap_new, drift.overlap_any) >= rules.min_overlap, detail=detail)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One task, judged of both: each on all clients of its own hold-out, and both on those that they share."""

    ours: TaskQuality | None
    theirs: TaskQuality | None
    paired: PairedQuality | None


def _not_worse(name: str, pair: _Pair, rules: GateRules, problem: str) -> Check:
    """By the clients that both were judged by; where these are few, by the means of all."""
    if pair.paired and pair.paired.clients >= rules.min_clients:
        return _not_worse_for_same(name, pair.paired, rules)
    if pair.theirs is None or pair.theirs.clients < rules.min_clients:
        return Check(name=name, passed=True, detail=problem or "the version in service was judged by too few clients")
    if pair.ours is None or pair.ours.clients < rules.min_clients:  # a few odd dates must not switch the gate off
        more = f"the version in service was judged by {pair.theirs.clients}: see the dates of the newest payments"
        return Check(name=name, passed=False, detail=f"{_too_few(pair.ours, rules)}; {more}")
    least = pair.theirs.ndcg * (1 - rules.tolerance)
    detail = (
        f"NDCG@10 {pair.ours.ndcg:.4f}, in service {pair.theirs.ndcg:.4f}, each on its own hold-out, for they share "
        f"too few clients; asked is at least {least:.4f} ({_tolerated(rules)})"
    )
    return Check(name=name, passed=pair.ours.ndcg >= least, detail=detail)


def _not_worse_for_same(name: str, paired: PairedQuality, rules: GateRules) -> Check:
    """Refused when more is lost than tolerated and the loss is no chance: its interval leaves zero out."""
    is_large = paired.difference < -rules.tolerance * paired.base_ndcg
    is_sure = paired.difference_high < 0
    detail = (
        f"NDCG@10 {paired.ndcg:.4f}, in service {paired.base_ndcg:.4f}, on the {paired.clients} clients that both were "
        f"judged by: difference {paired.difference:+.4f} (95 % interval {paired.difference_low:+.4f} to "
        f"{paired.difference_high:+.4f}); refused is a loss beyond chance of more than "
        f"{rules.tolerance * paired.base_ndcg:.4f} ({_tolerated(rules)})"
    )
    return Check(name=name, passed=not (is_large and is_sure), detail=detail)


def _new(quality: Quality | None) -> TaskQuality | None:
    return quality.new if quality else None


def _any(quality: Quality | None) -> TaskQuality | None:
    return quality.any if quality else None


def _losses(drift: Comparison) -> Iterator[tuple[str, int, int]]:
    """What of, how many there were, how many of them are gone."""
    gone = max(drift.base_training_payments - drift.training_payments, 0)
    yield "training payments", drift.base_training_payments, gone
    sets: dict[str, Turnover] = {
        "clients": drift.clients,
        "companies": drift.companies,
        "indexed companies": drift.indexed,
    }
    for what, turnover in sets.items():
        yield what, turnover.before, turnover.went


def _too_few(judged: TaskQuality | None, rules: GateRules) -> str:
    return f"too few clients to judge: {judged.clients if judged else 0} in the hold-out, asked are {rules.min_clients}"


def _tolerated(rules: GateRules) -> str:
    return f"{rules.tolerance:.0%}: INDEXER_QUALITY_TOLERANCE"


def _moment(moment: datetime | None) -> str:
    return moment.isoformat() if moment else "none"
