"""Scores do not depend on what is scored beside, nor on the order of sums; nothing of the best is left out."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import exact
from services.contracts.factors import LONGEST, Factors, FloatArray, History, IntArray, lengths, padded
from services.contracts.ranking import Query, rank
from services.contracts.scoring import best, client_queries, client_query, scored

SEEDS = st.integers(0, 2**32 - 1)


def factors(seed: int, companies: int = 300, dimension: int = 33, twins: int = 3) -> Factors:
    """Lengths of many orders; every so often companies that are alike to the last bit."""
    random = np.random.default_rng(seed)
    target = random.normal(size=(companies, dimension)) * 10.0 ** random.uniform(-3, 2, size=(companies, 1))
    target[twins::7] = target[: len(target[twins::7])]
    source = random.normal(size=(companies, dimension))
    source[:, -1] = 0
    popular = random.permutation(companies).astype(np.int32)
    return Factors(source.astype(np.float32), target.astype(np.float32), popular, None, 2.0)


def history(seed: int, companies: int = 300) -> History:
    random = np.random.default_rng(seed)
    paid = random.choice(companies, random.integers(1, 30), replace=False).astype(np.int32)
    return History(paid, random.random(len(paid), np.float32), random.random(len(paid), np.float32))


def rows_of(client: History) -> tuple[IntArray, FloatArray]:
    return client.companies, client.weights


@given(SEEDS)
def test_a_query_is_the_same_alone_among_others_and_in_another_order(seed: int) -> None:
    world, clients = factors(seed), [history(seed + client) for client in range(5)]
    begins = np.cumsum([0, *(len(each.companies) for each in clients)])[:-1]
    companies = np.concatenate([each.companies for each in clients])
    weights = np.concatenate([each.weights for each in clients])

    together = client_queries(world, companies, weights, begins)

    for row, each in enumerate(clients):
        alone = client_query(world, each.companies, each.weights)
        turned = client_query(world, each.companies[::-1], each.weights[::-1])
        assert together[row].tobytes() == alone.tobytes() == turned.tobytes()


@given(SEEDS)
def test_a_query_is_the_weighed_sum_of_length_one_with_one_for_popularity(seed: int) -> None:
    world, client = factors(seed), history(seed)

    asked = client_query(world, client.companies, client.weights)

    expected = client.weights.astype(np.float64) @ world.source[client.companies].astype(np.float64)
    assert asked[:-1] == pytest.approx(expected[:-1] / np.linalg.norm(expected), abs=1e-6)
    assert asked[-1] == 1


def test_an_empty_history_asks_nothing_and_shifts_no_other() -> None:
    world = factors(1)
    companies, weights = np.array([3, 4], np.int32), np.ones(2, np.float32)

    found = client_queries(world, companies, weights, np.array([0, 0, 1, 2]))

    assert not found[[0, 3]].any()
    assert (found[1] == client_query(world, companies[:1], weights[:1])).all()


@given(SEEDS)
def test_a_score_is_the_same_alone_and_among_others(seed: int) -> None:
    world = factors(seed)
    asked = client_query(world, *rows_of(history(seed)))
    every = np.arange(len(world.target))

    together = scored(world, asked, every).scores

    assert together == pytest.approx(world.target.astype(np.float64) @ asked.astype(np.float64), rel=1e-5, abs=1e-3)
    for company in every[::37].tolist():
        alone = scored(world, asked, np.array([company])).scores
        assert alone.tobytes() == together[company : company + 1].tobytes()


@given(SEEDS, st.integers(1, 40))
def test_ranking_is_scoring_everything_and_sorting(seed: int, count: int) -> None:
    world, client = factors(seed), history(seed)
    every = np.arange(len(world.target))
    found = scored(world, client_query(world, *rows_of(client)), every)
    paid = set(client.companies.tolist())
    new = [(-score, j) for j, score in enumerate(found.scores.tolist()) if found.speaks[j] and j not in paid]

    places = [place for place in rank(world, client, Query(count)) if place.modelled]

    assert [(-place.score, place.company) for place in places] == sorted(new)[:count]


@given(SEEDS, st.integers(1, 12))
def test_what_may_be_among_the_best_holds_all_of_them_and_few_others(seed: int, count: int) -> None:
    lower = np.random.default_rng(seed).normal(size=(4, 2000)).astype(np.float32)

    rows, places = best(lower, np.full(2000, 1e-6, np.float32), count)

    for row in range(4):
        found = set(places[rows == row].tolist())
        assert set(np.argsort(-lower[row])[:count].tolist()) <= found
        assert len(found) <= 8 * count + 20


def test_long_targets_whose_scores_are_rounding_take_no_place_of_short_ones_that_speak() -> None:
    long, companies, share = 100, 400, factors(1, dimension=9).doubt[0] / lengths(factors(1, dimension=9).target)[0]
    target = np.zeros((companies, 9), np.float32)
    target[:long, :2] = (1.6 * 1000 * share, 1000)
    target[long:, 0] = np.linspace(1e-6, 2e-6, companies - long)
    world = Factors(np.eye(companies, 9, dtype=np.float32), target, np.arange(companies, dtype=np.int32), None, 1.0)
    one = np.ones(1, np.float32)

    places = rank(world, History(np.zeros(1, np.int32), one, one), Query(10))

    assert [place.company for place in places] == list(range(companies - 1, companies - 11, -1))


@given(st.lists(st.floats(-1e30, 1e30, allow_nan=False), min_size=1, max_size=200), st.randoms())
def test_sums_do_not_depend_on_the_order(values: list[float], random: Random) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    bound = float(np.abs(values).max()) * len(values)
    unit = exact.unit(bound)

    sums = [float(np.rint(np.array(row) / unit).sum()) * unit for row in (values, shuffled)]

    assert sums[0] == sums[1]
    assert sums[0] == pytest.approx(sum(values), abs=1e-9 * bound + 1e-300)
    assert exact.units(np.array([bound])).tolist() == [unit]


def test_sums_of_the_smallest_numbers_are_rounded_to_nothing() -> None:
    unit = exact.unit(2.2250738585e-313)

    assert unit > 0
    assert np.rint(np.array([2.2250738585e-313]) / unit).tolist() == [0.0]
    assert exact.units(np.array([2.2250738585e-313])).tolist() == [unit]


@given(SEEDS)
def test_lengths_are_euclidean_and_do_not_depend_on_the_order(seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(20, 129)).astype(np.float32)
    rows[3] = 0

    assert exact.lengths(rows) == pytest.approx(np.linalg.norm(rows, axis=1), rel=1e-6)
    assert exact.lengths(rows).tolist() == [exact.length(row.astype(np.float64)) for row in rows]
    assert exact.lengths(rows).tobytes() == exact.lengths(rows[:, ::-1]).tobytes()


def targets() -> FloatArray:
    """Many short ones, and one in five a hundred times as long; popularity's place is empty."""
    vectors = np.random.default_rng(4).normal(size=(3 * LONGEST, 4))
    vectors[::5] *= 100
    vectors[:, -1] = 0
    return vectors.astype(np.float32)


def test_companies_of_the_longest_targets_are_candidates_even_if_nothing_is_found_near() -> None:
    target, popular = targets(), np.arange(3 * LONGEST, dtype=np.int32)
    one = np.ones(1, np.float32)
    client = History(np.array([1], np.int32), one, one)

    blind = rank(Factors(target, target, popular, lambda _query, _count: (), 1.0), client, Query(10))

    assert blind == rank(Factors(target, target, popular, None, 1.0), client, Query(10))


def test_padded_targets_but_for_the_longest_have_one_norm_and_the_order_of_their_products() -> None:
    target = targets()
    norms = lengths(target)
    short = np.argsort(-norms, kind="stable")[LONGEST:]
    query = np.array([1, 2, -1, 1], np.float32)

    vectors = padded(target)

    assert np.allclose(np.linalg.norm(vectors, axis=1), np.sort(norms)[-LONGEST], rtol=1e-5)
    assert np.allclose(vectors[short] @ np.append(query, np.float32(0)), target[short] @ query, rtol=1e-5)
