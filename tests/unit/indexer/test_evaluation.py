"""The protocol of evaluation, by hand."""

import math

import numpy as np
import pytest

from services.indexer.domain.evaluation import (
    RESAMPLES,
    TASKS,
    Task,
    estimate,
    paired_difference,
    relevant_companies,
    score_lists,
)
from services.indexer.domain.payments import MICROSECONDS_A_DAY, Split, split_by_time
from tests.unit.indexer.planted import payments, planted

# Before day 8: client 0 pays 0 and 1, client 1 pays 1 and 2. After it: old, new and unheard-of ones.
BEFORE = [(0, 0, 0.0), (0, 1, 1.0), (1, 1, 2.0), (1, 2, 3.0)]
AFTER = [(0, 1, 9.0), (0, 2, 9.0), (0, 3, 9.0), (1, 2, 9.5), (2, 0, 10.0)]


@pytest.fixture
def split() -> Split:
    return split_by_time(payments(BEFORE + AFTER), 0.8)


def test_new_are_companies_never_paid_before_the_cut(split: Split) -> None:
    assert relevant_companies(split, "new") == {0: frozenset({2})}


def test_any_are_repeats_too(split: Split) -> None:
    assert relevant_companies(split, "any") == {0: frozenset({1, 2}), 1: frozenset({2})}


@pytest.mark.parametrize("task", ["new", "any"])
def test_who_pays_nobody_after_the_cut_or_only_the_unheard_of_is_not_judged(task: Task) -> None:
    rows = [(0, 0, 0.0), (1, 1, 1.0), (1, 2, 9.0), (2, 0, 10.0)]

    assert relevant_companies(split_by_time(payments(rows), 0.8), task) == {}


@pytest.mark.parametrize("task", TASKS)
def test_a_limit_leaves_the_first_clients_by_number(task: Task) -> None:
    split = split_by_time(planted(), 0.8)
    everybody = relevant_companies(split, task)

    assert list(everybody) == sorted(everybody)
    for limit in (0, 1, 7, len(everybody), 1000):
        assert list(relevant_companies(split, task, limit).items()) == list(everybody.items())[:limit]


def test_a_payment_at_the_very_cut_is_before_it() -> None:
    split = split_by_time(payments([(0, 0, 0.0), (0, 1, 8.0), (0, 1, 8.1), (1, 0, 10.0)]), 0.8)

    assert (split.before.at - split.before.first).tolist() == [0, 8 * MICROSECONDS_A_DAY]
    assert len(split.after) == 2


def test_a_hit_in_the_first_place_of_one_relevant_company_scores_one() -> None:
    scores = score_lists([[7, 8, 9]], [frozenset({7})], 100)

    assert (scores.ndcg.tolist(), scores.recall.tolist(), scores.hit.tolist()) == ([1.0], [1.0], [1.0])


def test_later_places_count_less() -> None:
    scores = score_lists([[1, 7, 2, 8]], [frozenset({7, 8, 9})], 100)

    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert scores.ndcg.tolist() == pytest.approx([(1 / math.log2(3) + 1 / math.log2(5)) / ideal])
    assert scores.recall.tolist() == pytest.approx([2 / 3])


def test_more_relevant_companies_than_places_can_still_score_one() -> None:
    scores = score_lists([list(range(10))], [frozenset(range(25))], 100)

    assert scores.ndcg.tolist() == pytest.approx([1.0])
    assert scores.recall.tolist() == pytest.approx([10 / 25])
    assert scores.recall_capped.tolist() == pytest.approx([1.0])


def test_a_list_without_hits_scores_nothing() -> None:
    scores = score_lists([[1], []], [frozenset({2}), frozenset({3})], 100)

    assert scores.ndcg.tolist() == scores.recall.tolist() == scores.hit.tolist() == [0.0, 0.0]


def test_only_the_first_k_places_count() -> None:
    lists, relevant = [[1, 7, 8]], [frozenset({7, 8, 9})]

    assert score_lists(lists, relevant, 100, k=1).ndcg.tolist() == [0.0]
    two = score_lists(lists, relevant, 100, k=2)
    assert two.ndcg.tolist() == pytest.approx([1 / math.log2(3) / (1 + 1 / math.log2(3))])
    assert (two.recall_capped.tolist(), two.coverage) == ([1 / 2], 2 / 100)


def test_what_stands_twice_keeps_its_first_place_and_frees_the_second() -> None:
    twice = score_lists([[1, 7, 1, 7, 8]], [frozenset({7, 8})], 100, k=3)
    once = score_lists([[1, 7, 8]], [frozenset({7, 8})], 100, k=3)

    assert twice.ndcg.tolist() == once.ndcg.tolist()
    assert twice.recall.tolist() == [1.0]


def test_coverage_counts_distinct_companies() -> None:
    assert score_lists([[1, 2], [2, 3]], [frozenset({1}), frozenset({2})], 12).coverage == 3 / 12


def test_the_interval_holds_the_mean_and_narrows_with_more_clients() -> None:
    random = np.random.default_rng(5)
    few, many = estimate(random.random(30)), estimate(random.random(3000))

    assert few.low < few.mean < few.high
    assert many.high - many.low < (few.high - few.low) / 5


def test_the_interval_is_that_of_the_means_of_all_resamples_drawn_at_once() -> None:
    values = np.random.default_rng(6).random(41)
    drawn = np.random.default_rng(0).integers(0, 41, (RESAMPLES, 41))

    found = estimate(values)

    assert [found.low, found.high] == pytest.approx(np.percentile(values[drawn].mean(axis=1), [2.5, 97.5]), abs=1e-12)


def test_the_interval_of_equal_values_is_the_value() -> None:
    found = estimate(np.full(9, 0.25))

    assert (found.mean, found.low, found.high) == (0.25, 0.25, 0.25)


def test_a_paired_difference_is_much_surer_than_the_two_means() -> None:
    theirs = np.random.default_rng(7).random(400)

    gain = paired_difference(theirs + 0.01, theirs)

    assert gain.mean == pytest.approx(0.01)
    assert 0.0099 < gain.low <= gain.high < 0.0101
    assert estimate(theirs).high - estimate(theirs).low > 0.01
