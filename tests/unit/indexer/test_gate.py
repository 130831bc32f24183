"""The quality gate's decisions."""

from datetime import UTC, datetime

import pytest

from services.contracts.bundle import Quality, TaskQuality
from services.indexer.domain.gate import GateRules, age_check, quality_checks

OLDER, NEWER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
RULES = GateRules(min_gain=0.0, tolerance=0.2, min_clients=20)


def quality(ndcg: float, popularity: float = 0.1, clients: int = 500) -> Quality:
    task = TaskQuality(
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
    return Quality(k=10, cut=datetime(2026, 1, 1, tzinfo=UTC), new=task, any=None)


def outcome(candidate: Quality | None, in_service: Quality | None, rules: GateRules = RULES) -> dict[str, bool]:
    return {check.name: check.passed for check in quality_checks(candidate, in_service, rules)}


PASSED = {"beats_popularity": True, "not_worse_than_in_service": True}


def test_a_first_version_that_beats_popularity_passes() -> None:
    assert outcome(quality(0.15), None) == PASSED


def test_a_version_below_popularity_is_refused() -> None:
    assert outcome(quality(0.09), None) == {**PASSED, "beats_popularity": False}


@pytest.mark.parametrize(("gain", "passes"), [(0.02, True), (0.03, True), (0.04, False)])
def test_the_least_gain_can_be_set(gain: float, passes: bool) -> None:
    rules = GateRules(min_gain=gain, tolerance=0.2)

    assert outcome(quality(0.1301), None, rules)["beats_popularity"] is passes


@pytest.mark.parametrize(("ndcg", "passes"), [(0.21, True), (0.161, True), (0.159, False)])
def test_a_version_may_be_worse_than_the_one_in_service_within_the_tolerance(ndcg: float, passes: bool) -> None:
    assert outcome(quality(ndcg), quality(0.2))["not_worse_than_in_service"] is passes


def test_a_version_in_service_without_quality_refuses_nothing() -> None:
    unjudged = Quality(k=10, cut=datetime(2026, 1, 1, tzinfo=UTC), new=None, any=None)

    assert outcome(quality(0.15), unjudged) == PASSED


@pytest.mark.parametrize("candidate", [None, quality(0.0, clients=19)])
def test_too_few_clients_refuse_nothing_and_the_check_says_so(candidate: Quality | None) -> None:
    checks = quality_checks(candidate, None, RULES)

    assert outcome(candidate, None) == PASSED
    assert outcome(candidate, quality(0.5, clients=19)) == PASSED
    assert all("too few clients to judge" in check.detail for check in checks)


def test_a_version_that_cannot_be_judged_does_not_replace_one_that_was() -> None:
    unjudged = quality(0.0, clients=19)

    assert outcome(unjudged, quality(0.5)) == {"beats_popularity": True, "not_worse_than_in_service": False}


def test_as_good_as_popularity_is_not_better() -> None:
    assert outcome(quality(0.1), None)["beats_popularity"] is False


@pytest.mark.parametrize(("candidate", "passes"), [(OLDER, False), (NEWER, True), (None, False)])
def test_only_a_version_that_knows_no_less_than_the_one_in_service_passes(
    candidate: datetime | None, passes: bool
) -> None:
    assert age_check(candidate, NEWER).passed is passes


def test_any_age_passes_where_nothing_is_in_service() -> None:
    assert age_check(None, None).passed


def test_a_refusal_tells_what_was_found_and_what_was_asked() -> None:
    first, second = quality_checks(quality(0.09), quality(0.2), RULES)

    assert "0.0900" in first.detail
    assert "popularity 0.1000" in first.detail
    assert "more than +0.0000" in first.detail
    assert "at least 0.1600 (20% less: INDEXER_QUALITY_TOLERANCE)" in second.detail
