"""Scores do not depend on what is scored beside, nor on the order of sums; nothing of the best is left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.factors import LONGEST, Factors, FloatArray, History, IntArray, padded
from services.contracts.ranking import FROM_HISTORY, MODELLED, POPULAR, Query, rank
from services.contracts.scorer import Scorer, lengths
from services.contracts.scoring import best
from tests.unit.contracts import plain_scoring as plain

SEEDS = st.integers(0, 2**32 - 1)
NOBODY = np.zeros(0, np.int32)


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

    together = world.scorer.queries(companies, weights, begins)

    for row, each in enumerate(clients):
        alone = world.scorer.query(each.companies, each.weights)
        turned = world.scorer.query(each.companies[::-1], each.weights[::-1])
        assert together[row].tobytes() == alone.tobytes() == turned.tobytes()


@given(SEEDS)
def test_a_query_is_the_weighed_sum_of_length_one_with_one_for_popularity(seed: int) -> None:
    world, client = factors(seed), history(seed)

    asked = world.scorer.query(client.companies, client.weights)

    expected = client.weights.astype(np.float64) @ world.source[client.companies].astype(np.float64)
    assert asked[:-1] == pytest.approx(expected[:-1] / np.linalg.norm(expected), abs=1e-6)
    assert asked[-1] == 1


def test_an_empty_history_asks_nothing_and_shifts_no_other() -> None:
    world = factors(1)
    companies, weights = np.array([3, 4], np.int32), np.ones(2, np.float32)

    found = world.scorer.queries(companies, weights, np.array([0, 0, 1, 2]))

    assert not found[[0, 3]].any()
    assert (found[1] == world.scorer.query(companies[:1], weights[:1])).all()


@given(SEEDS)
def test_a_score_is_the_same_alone_and_among_others(seed: int) -> None:
    world = factors(seed)
    asked = world.scorer.query(*rows_of(history(seed)))
    every = np.arange(len(world.target))

    together = world.scorer.scored(asked, every)[0]

    assert together == pytest.approx(world.target.astype(np.float64) @ asked.astype(np.float64), rel=1e-5, abs=1e-3)
    for company in every[::37].tolist():
        alone = world.scorer.scored(asked, np.array([company]))[0]
        assert alone.tobytes() == together[company : company + 1].tobytes()


@given(SEEDS, st.integers(1, 40))
def test_ranking_is_scoring_everything_and_sorting(seed: int, count: int) -> None:
    world, client = factors(seed), history(seed)
    every = np.arange(len(world.target))
    scores, kinds = world.scorer.scored(world.scorer.query(*rows_of(client)), every)
    paid = set(client.companies.tolist())
    new = [(-score, j) for j, score in enumerate(scores.tolist()) if kinds[j] != POPULAR and j not in paid]

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
    long, companies, share = 100, 400, _doubted_share()
    target = np.zeros((companies, 9), np.float32)
    target[:long, :2] = (1.6 * 1000 * share, 1000)
    target[long:, 0] = np.linspace(1e-6, 2e-6, companies - long)
    world = Factors(np.eye(companies, 9, dtype=np.float32), target, np.arange(companies, dtype=np.int32), None, 1.0)
    one = np.ones(1, np.float32)

    places = rank(world, History(np.zeros(1, np.int32), one, one), Query(10))

    assert [place.company for place in places] == list(range(companies - 1, companies - 11, -1))


def _doubted_share() -> float:
    world = factors(1, dimension=9)
    return float(world.scorer.doubt[0] / lengths(world.target)[0])


@given(SEEDS)
def test_queries_and_scores_are_to_the_last_bit_what_plain_sums_of_whole_numbers_give(seed: int) -> None:
    world, client = factors(seed, companies=40), history(seed, companies=50)
    chosen = np.random.default_rng(seed).choice(40, 7, replace=False)

    asked = world.scorer.query(*rows_of(client))
    scores, kinds = world.scorer.scored(asked, chosen)

    expected = plain.query(world.source, client)
    assert asked.tolist() == expected
    plainly = [plain.score(world.target, expected, company) for company in chosen.tolist()]
    assert scores.tolist() == [score for score, _ in plainly]
    rounding = (2 * world.scorer.doubt[chosen]).tolist()
    assert kinds.tolist() == [
        POPULAR if score <= most else FROM_HISTORY if brought > most else MODELLED
        for (score, brought), most in zip(plainly, rounding, strict=True)
    ]


@given(SEEDS, st.integers(1, 60), st.integers(0, 300))
def test_what_is_near_and_the_longest_are_ranked_as_if_each_was_scored(seed: int, count: int, longest: int) -> None:
    world, random = factors(seed), np.random.default_rng(seed)
    scorer = Scorer(world.source, world.target, longest)
    asked = scorer.query(*rows_of(history(seed)))
    near: list[int] = random.choice(300, 40, replace=False).tolist()
    barred = random.choice(400, 50).astype(np.int32)
    calls = []

    def nearest(query: FloatArray) -> list[int]:
        calls.append(query.tobytes())
        return near

    found = scorer.ranked_near(asked, barred, count, nearest)

    looked_at = {*np.argsort(-lengths(world.target), kind="stable")[:longest].tolist()}
    if calls:
        looked_at.update(near)
    else:
        looked_at.update(range(300))
    expected = scorer.ranked(asked, np.array(sorted(looked_at.difference(barred.tolist())), np.int64))
    assert [column[:count] for column in found] == [column[:count] for column in expected]
    assert not np.isin(found[0], barred).any()
    assert calls in ([], [asked.tobytes()])


def test_nothing_is_asked_for_where_no_other_company_can_be_among_the_best() -> None:
    long, short = np.eye(3, dtype=np.float32) * 10, np.full((500, 3), 0.1, np.float32)
    target = np.concatenate([short, long])
    target[:, -1] = 0
    scorer = Scorer(target, target, 2)
    asked = scorer.query(np.array([500], np.int32), np.ones(1, np.float32))
    calls = []

    def nearest(query: FloatArray) -> list[int]:
        calls.append(query)
        return [3, 4]

    assert scorer.ranked_near(asked, NOBODY, 1, nearest)[0] == [500]
    assert not calls
    assert scorer.ranked_near(asked, NOBODY, 2, nearest)[0] == [500, 3, 4]
    assert scorer.ranked_near(asked, np.array([500], np.int32), 1, nearest)[0] == [3, 4]
    assert len(calls) == 2


@pytest.mark.parametrize("weight", [0.0, 1e-38, 1e38])
def test_weights_of_any_size_give_a_query_of_length_one_or_none(weight: float) -> None:
    world = factors(3)

    asked = world.scorer.query(np.array([3, 5], np.int32), np.full(2, weight, np.float32))

    assert np.linalg.norm(asked[:-1]) == pytest.approx(1.0 if weight else 0.0)
    assert asked[-1] == (1.0 if weight else 0.0)


@pytest.mark.parametrize("company", [-1, 300, 2**40])
def test_no_company_outside_the_index_is_scored(company: int) -> None:
    world = factors(3)
    asked = world.scorer.query(*rows_of(history(3)))

    with pytest.raises(IndexError, match="not indexed"):
        world.scorer.scored(asked, np.array([2, company]))
    with pytest.raises(IndexError, match="not indexed"):
        Scorer(world.source, world.target, 5).ranked_near(asked, np.zeros(0, np.int32), 9, lambda query: [company])


def test_arrays_of_other_shapes_are_refused() -> None:
    world = factors(3)
    companies, weights = rows_of(history(3))
    every = np.arange(300)

    with pytest.raises(ValueError, match="weight"):
        world.scorer.query(companies, weights[1:])
    with pytest.raises(ValueError, match="follow one another"):
        world.scorer.queries(companies, weights, np.array([0, 2, 1]))
    with pytest.raises(ValueError, match="follow one another"):
        world.scorer.queries(companies, weights, np.array([0, len(companies) + 1]))
    with pytest.raises(ValueError, match="as wide"):
        world.scorer.scored(np.zeros(32, np.float32), every)
    with pytest.raises(ValueError, match="one for each"):
        world.scorer.scored(np.zeros((4, 33), np.float32), every)
    with pytest.raises(ValueError, match="one query"):
        world.scorer.ranked(np.zeros((300, 33), np.float32), every)
    with pytest.raises(ValueError, match="differ in shape"):
        Scorer(world.source[1:], world.target, 10)
    with pytest.raises(ValueError, match="matrix"):
        Scorer(world.source[0], world.target[0], 10)
    with pytest.raises(TypeError):
        Scorer(world.source.astype(np.float64), world.target.astype(np.float64), 10)
    with pytest.raises(ValueError, match="side by side"):
        lengths(world.target.T)


def test_an_index_without_companies_ranks_none() -> None:
    scorer = Scorer(np.zeros((0, 5), np.float32), np.zeros((0, 5), np.float32), 10)

    asked = scorer.query(np.array([3], np.int32), np.ones(1, np.float32))

    assert not asked.any()
    assert scorer.ranked_near(asked, np.array([3], np.int32), 5, lambda query: []) == ([], [], b"")


def test_doubts_cannot_be_changed_and_outlive_their_scorer() -> None:
    doubt = factors(3).scorer.doubt

    with pytest.raises(ValueError, match="read-only"):
        doubt[0] = 1
    assert (doubt > 0).all()


@given(SEEDS)
def test_lengths_are_euclidean_and_do_not_depend_on_the_order(seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(20, 129)).astype(np.float32)
    rows[3] = 0

    assert lengths(rows) == pytest.approx(np.linalg.norm(rows, axis=1), rel=1e-6)
    assert lengths(rows).tobytes() == lengths(rows[:, ::-1].copy()).tobytes()
    assert lengths(rows[:, :-1]).tobytes() == lengths(rows[:, :-1].copy()).tobytes()


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
