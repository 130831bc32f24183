"""The gate's decisions."""

from datetime import UTC, datetime

import pytest

from services.contracts.bundle import IndexManifest, Quality, TaskQuality
from services.contracts.validation import Comparison, PairedQuality, Turnover
from services.indexer.domain.gate import (
    OVERRIDABLE,
    GateRules,
    InService,
    age_check,
    beats_popularity,
    gate_checks,
    loss_check,
    overlap_check,
)
from tests.unit.indexer.planted import MANIFEST

OLDER, NEWER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
RULES = GateRules(min_gain=0.0, tolerance=0.2, max_loss=0.2, min_clients=20)
UNCHANGED = Turnover(before=1000, after=1000, came=0, went=0)


def task(ndcg: float, popularity: float = 0.1, clients: int = 500) -> TaskQuality:
    return TaskQuality(
        ndcg=ndcg,
        ndcg_low=ndcg - 0.5,
        ndcg_high=ndcg + 0.5,
        recall=0.2,
        hit=0.3,
        coverage=0.1,
        clients=clients,
        popularity_ndcg=popularity,
        gain=ndcg - popularity,
        gain_low=ndcg - popularity - 0.5,
        gain_high=ndcg - popularity + 0.5,
    )


def manifest(new: TaskQuality | None, repeats: TaskQuality | None = None) -> IndexManifest:
    quality = Quality(k=10, cut=OLDER, new=new, any=repeats)
    return MANIFEST.model_copy(update={"watermark": OLDER, "quality": quality})


def paired(base: float, difference: float, high: float, clients: int = 500) -> PairedQuality:
    return PairedQuality(
        clients=clients,
        base_ndcg=base,
        ndcg=base + difference,
        difference=difference,
        difference_low=2 * difference - high,
        difference_high=high,
    )


def drift(new: PairedQuality | None = None, repeats: PairedQuality | None = None, **changes: object) -> Comparison:
    """Nothing changed but for what is said."""
    unchanged = Comparison(
        base="in-service",
        base_training_payments=1000,
        training_payments=1000,
        clients=UNCHANGED,
        companies=UNCHANGED,
        indexed=UNCHANGED,
        popular=UNCHANGED,
        new=new,
        any=repeats,
        overlap_clients=200,
        overlap_new=0.9,
        overlap_any=0.9,
    )
    return unchanged.model_copy(update=changes)


def failed(candidate: IndexManifest, present: InService | None) -> list[str]:
    """Names of the checks that fail; every one that is made says what it found, and may be overridden."""
    checks = gate_checks(candidate, present, RULES)
    assert all(check.detail for check in checks)
    assert {check.name for check in checks} == OVERRIDABLE
    return [check.name for check in checks if not check.passed]


def test_a_first_version_that_beats_popularity_passes() -> None:
    assert failed(manifest(task(0.15)), None) == []


def test_a_version_below_popularity_is_refused() -> None:
    assert failed(manifest(task(0.09)), None) == ["beats_popularity"]


def test_as_good_as_popularity_is_not_better() -> None:
    assert failed(manifest(task(0.1)), None) == ["beats_popularity"]


@pytest.mark.parametrize(("gain", "passes"), [(0.02, True), (0.03, True), (0.04, False)])
def test_the_least_gain_can_be_set(gain: float, passes: bool) -> None:
    assert beats_popularity(manifest(task(0.1301)).quality, GateRules(min_gain=gain)).passed is passes


@pytest.mark.parametrize(
    ("difference", "high", "passes"),
    [
        (+0.01, 0.02, True),
        # Within the tolerance, however sure.
        (-0.03, -0.02, True),
        # Beyond it, but it may be chance.
        (-0.05, +0.01, True),
        (-0.05, -0.01, False),
    ],
)
def test_a_loss_for_the_same_clients_is_refused_when_it_is_large_and_no_chance(
    difference: float, high: float, passes: bool
) -> None:
    found = paired(base=0.2, difference=difference, high=high)
    better_by_means = InService(manifest(task(0.01), task(0.01)), drift(new=found, repeats=found))

    refused = failed(manifest(task(0.3), task(0.3)), better_by_means)

    assert refused == ([] if passes else ["not_worse_than_in_service", "not_worse_with_repeats"])


def test_a_loss_at_repeats_alone_is_refused_too() -> None:
    lost = drift(new=paired(0.2, 0.0, 0.01), repeats=paired(0.6, -0.3, -0.2))

    assert failed(manifest(task(0.2)), InService(manifest(task(0.2)), lost)) == ["not_worse_with_repeats"]


@pytest.mark.parametrize(("ndcg", "passes"), [(0.21, True), (0.161, True), (0.159, False)])
@pytest.mark.parametrize("shared", [None, paired(0.2, -0.2, -0.1, clients=19)])
def test_where_they_share_too_few_clients_the_means_are_held_against_each_other(
    ndcg: float, passes: bool, shared: PairedQuality | None
) -> None:
    refused = failed(manifest(task(ndcg)), InService(manifest(task(0.2)), drift(new=shared)))

    assert refused == ([] if passes else ["not_worse_than_in_service"])


def test_a_version_in_service_that_nobody_can_read_refuses_nothing_and_the_checks_say_so() -> None:
    checks = gate_checks(manifest(task(0.15)), InService(None, None, "it is of another format"), RULES)

    assert all(check.passed for check in checks)
    assert sum("it is of another format" in check.detail for check in checks) == 4


def test_a_comparison_that_broke_off_refuses_for_it_may_have_found_a_loss() -> None:
    broken_off = InService(manifest(task(0.2)), None, "the comparing process died", is_known=False)

    assert failed(manifest(task(0.2)), broken_off) == ["knows_what_is_in_service", "answers_like_in_service"]


@pytest.mark.parametrize(("overlap", "passes"), [(0.2, True), (0.19, False)])
def test_a_version_that_answers_otherwise_is_refused(overlap: float, passes: bool) -> None:
    check = overlap_check(InService(None, drift(overlap_new=overlap)), RULES)

    assert check.passed is passes
    assert f"{overlap:.0%} of the new ones and 90% of all" in check.detail


def test_few_clients_say_nothing_of_answers() -> None:
    few = drift(overlap_new=0.0, overlap_clients=19)

    assert overlap_check(InService(None, few), RULES).passed


@pytest.mark.parametrize("new", [None, task(0.0, clients=19)])
def test_too_few_clients_refuse_nothing_and_the_check_says_so(new: TaskQuality | None) -> None:
    assert failed(manifest(new), None) == []
    assert failed(manifest(new), InService(manifest(task(0.5, clients=19)), drift())) == []
    assert "too few clients to judge" in beats_popularity(manifest(new).quality, RULES).detail


def test_a_version_that_cannot_be_judged_does_not_replace_one_that_was() -> None:
    unjudged = manifest(task(0.0, clients=19))

    assert failed(unjudged, InService(manifest(task(0.5)), drift())) == ["not_worse_than_in_service"]


@pytest.mark.parametrize(("candidate", "passes"), [(OLDER, False), (NEWER, True), (None, False)])
def test_only_a_version_that_knows_no_less_than_the_one_in_service_passes(
    candidate: datetime | None, passes: bool
) -> None:
    assert age_check(candidate, NEWER).passed is passes


def test_any_age_passes_where_nothing_is_in_service() -> None:
    assert age_check(None, None).passed


HALVED = Turnover(before=1000, after=500, came=0, went=500)
REPLACED = Turnover(before=1000, after=1000, came=1000, went=1000)
FIFTH = Turnover(before=1000, after=900, came=100, went=200)


@pytest.mark.parametrize(
    ("found", "told", "passes"),
    [
        (drift(), "0 of 1,000 training payments", True),
        (drift(training_payments=2000), "0 of 1,000 training payments", True),
        (drift(training_payments=800), "200 of 1,000 training payments", True),
        (drift(training_payments=799), "201 of 1,000 training payments", False),
        (drift(clients=HALVED), "500 of 1,000 clients", False),
        (drift(companies=REPLACED), "1,000 of 1,000 companies", False),
        (drift(companies=FIFTH), "200 of 1,000 companies", True),
    ],
)
def test_a_version_that_lacks_much_of_what_is_in_service_is_refused(found: Comparison, told: str, passes: bool) -> None:
    check = loss_check(InService(None, found), RULES)

    assert check.passed is passes
    assert told in check.detail


def test_a_refusal_tells_what_was_found_and_what_was_asked() -> None:
    lost = drift(new=paired(0.2, -0.1, -0.05))
    checks = gate_checks(manifest(task(0.09)), InService(manifest(task(0.2)), lost), RULES)
    details = {check.name: check.detail for check in checks}

    assert "0.0900, popularity 0.1000" in details["beats_popularity"]
    assert "more than +0.0000" in details["beats_popularity"]
    assert "0.1000, in service 0.2000, on the 500 clients that both" in details["not_worse_than_in_service"]
    assert "difference -0.1000" in details["not_worse_than_in_service"]
    assert "more than 0.0400 (20%: INDEXER_QUALITY_TOLERANCE)" in details["not_worse_than_in_service"]
