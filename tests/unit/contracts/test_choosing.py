"""What is asked beside a history, against an oracle that sorts all companies, filters them and cuts the list."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.contracts.choosing import NO_CATEGORY, Chooser, Limit
from services.contracts.factors import Factors, History
from services.contracts.ranking import Query, Ranked, rank

HABIT_WEIGHT = 2.0
AXES = 3


@dataclass(frozen=True)
class World:
    """A catalogue in which scores are small whole numbers, so that ties abound and no sum is rounded."""

    factors: Factors
    history: History
    query: Query


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A history along one axis, and any question about it."""
    indexed, unindexed = draw(st.integers(0, 9)), draw(st.integers(0, 4))
    total = indexed + unindexed
    numbers = st.integers(-2, 3).map(float)
    target = draw(st.lists(st.lists(numbers, min_size=AXES, max_size=AXES), min_size=indexed, max_size=indexed))
    popular = np.array(draw(st.permutations(range(total))), dtype=np.int32)
    targets = np.array(target, dtype=np.float32).reshape(indexed, AXES)
    source = np.tile(np.array([1, 0, 0], dtype=np.float32), (indexed, 1))
    factors = Factors(source, targets, popular, None, HABIT_WEIGHT)
    paid = draw(st.lists(st.integers(0, total - 1), unique=True, max_size=4)) if total else []
    habits = draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=len(paid), max_size=len(paid)))
    history = History(np.array(paid, np.int32), np.ones(len(paid), np.float32), np.array(habits, np.float32))
    return World(factors, history, draw(queries(total)))


@st.composite
def queries(draw: st.DrawFn, companies: int) -> Query:
    """Any question, with each wish in about half of them."""
    ids = st.integers(0, max(companies - 1, 0))
    mask = np.zeros(companies, dtype=np.bool_)
    mask[list(draw(st.sets(ids))) if companies else []] = True
    categories = draw(st.lists(st.integers(NO_CATEGORY, 2), min_size=companies, max_size=companies))
    return Query(
        count=draw(st.integers(1, 12)),
        include_paid=draw(st.booleans()),
        excluded=frozenset(draw(st.sets(ids, max_size=3)) if companies and draw(st.booleans()) else ()),
        allowed=mask if draw(st.booleans()) else None,
        min_score=draw(st.none() | st.sampled_from([-2.5, -1.0, 0.0, 0.5, 1.0, 2.0])),
        limit=draw(st.none() | st.builds(Limit, st.just(np.array(categories, dtype=np.int32)), st.integers(1, 2))),
    )


def oracle(world: World) -> list[Ranked]:
    """The definition, company by company."""
    factors, history, query = world.factors, world.history, world.query
    paid = set(history.companies.tolist())
    scores = _scores(factors, history, include_paid=query.include_paid)
    modelled = sorted((j for j, score in scores.items() if score > 0), key=lambda j: (-scores[j], j))
    barred = query.excluded | (set() if query.include_paid else paid)
    places: list[Ranked] = []
    counts: Counter[int] = Counter()
    for j in [*modelled, *(each for each in factors.popular.tolist() if each not in modelled)]:
        filled = sum(not place.modelled for place in places)
        score = scores[j] if j in modelled else -1.0 - filled
        wanted = j not in barred and (query.allowed is None or query.allowed[j])
        wanted = wanted and (query.min_score is None or score >= query.min_score)
        category = int(query.limit.category_of[j]) if query.limit else NO_CATEGORY
        is_full = query.limit and category != NO_CATEGORY and counts[category] == query.limit.most
        if wanted and not is_full:
            counts[category] += 1
            raised = j in modelled and j not in paid and j < len(factors.target) and bool(factors.target[j, 0] > 0)
            places.append(Ranked(j, score, j in modelled, j in paid, raised))
    return places[: query.count]


def _scores(factors: Factors, history: History, *, include_paid: bool) -> dict[int, float]:
    goes_by_history = any(j < len(factors.source) for j in history.companies.tolist())
    query = np.array([1, 0, 1]) if goes_by_history else np.zeros(AXES)
    scores = dict.fromkeys(range(len(factors.popular)), 0.0)
    scores |= {j: max(float(target @ query), 0.0) for j, target in enumerate(factors.target)}
    if not include_paid:
        return scores
    peak = max(scores.values(), default=0.0) or 1.0
    habits = dict(zip(history.companies.tolist(), history.habits.tolist(), strict=True))
    return {j: float(np.float32(score / peak + HABIT_WEIGHT * habits.get(j, 0.0))) for j, score in scores.items()}


@given(worlds())
def test_the_answer_is_all_companies_sorted_filtered_and_cut(world: World) -> None:
    assert rank(world.factors, world.history, world.query) == oracle(world)


@given(worlds(), st.integers(1, 12))
def test_a_shorter_list_is_the_beginning_of_a_longer_one(world: World, count: int) -> None:
    longer = replace(world.query, count=world.query.count + count)

    places = rank(world.factors, world.history, longer)

    assert rank(world.factors, world.history, world.query) == places[: world.query.count]


def of_one_category(companies: int, category: int = 0) -> NDArray[np.int32]:
    return np.full(companies, category, dtype=np.int32)


def test_a_limit_of_categories_looks_beyond_those_that_are_always_looked_at() -> None:
    target = np.zeros((3000, 3), dtype=np.float32)
    target[:, 0] = np.linspace(2, 1, 3000)
    factors = Factors(np.ones_like(target), target, np.arange(3000, dtype=np.int32), lambda _query, _count: (), 1.0)
    category_of = of_one_category(3000)
    category_of[[2000, 2900]] = 1, 2
    history = History(np.array([2999], np.int32), np.ones(1, np.float32), np.zeros(1, np.float32))

    places = rank(factors, history, Query(4, limit=Limit(category_of, 1)))

    assert [(place.company, place.modelled) for place in places] == [(0, True), (2000, True), (2900, True)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("include_paid", [False, True])
def test_a_limit_of_categories_over_many_companies_is_the_whole_order_with_the_rest_left_out(
    seed: int, *, include_paid: bool
) -> None:
    rng = np.random.default_rng(seed)
    target = rng.integers(-2, 9, (6000, 4)).astype(np.float32) + np.float32(1e-7) * rng.integers(0, 3, (6000, 4))
    target = target.astype(np.float32)
    factors = Factors(rng.normal(size=(6000, 4)).astype(np.float32), target, np.arange(6000, dtype=np.int32), None, 1.0)
    history = History(*(np.array(each, kind) for each, kind in _three_paid(seed)))
    limit = Limit(np.minimum(rng.geometric(0.02, 6000) - 2, [2, 40, 300][seed % 3]).astype(np.int32), 1 + seed % 2)
    everything = rank(factors, history, Query(6000, include_paid=include_paid))

    limited = rank(factors, history, Query(40, include_paid=include_paid, limit=limit, min_score=0.0))

    counts: Counter[int] = Counter()
    expected = [place for place in everything if place.modelled and _fits(limit, counts, place.company)]
    assert limited == expected[:40]


def _three_paid(seed: int) -> list[tuple[list[float], type]]:
    return [([seed, 70 + seed, 5000], np.int32), ([1.0, 2.0, 0.5], np.float32), ([0.5, 0.9, 0.0], np.float32)]


def _fits(limit: Limit, counts: Counter[int], company: int) -> bool:
    category = int(limit.category_of[company])
    counts[category] += 1
    return category == NO_CATEGORY or counts[category] <= limit.most


def test_companies_without_a_category_are_not_limited() -> None:
    chooser = Chooser(set(), Limit(of_one_category(5, NO_CATEGORY), 1))

    assert list(chooser.chosen(range(5))) == [0, 1, 2, 3, 4]


def test_no_company_is_chosen_twice_and_a_full_category_stays_full() -> None:
    chooser = Chooser({3}, Limit(of_one_category(6), 2))

    assert list(chooser.chosen([1, 1, 3, 0])) == [1, 0]
    assert list(chooser.chosen([2, 1, 4])) == []
