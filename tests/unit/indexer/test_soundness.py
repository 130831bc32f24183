"""What an inspection finds wrong inside a bundle."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.contracts import bundle
from services.contracts.bundle import IndexManifest
from services.contracts.bundle_arrays import arrays_of, lists_in
from services.contracts.company_columns import table_of
from services.contracts.factors import padded
from services.contracts.ranking import Ranked
from services.contracts.validation import Check
from services.indexer.domain import soundness
from services.indexer.domain.lists import new_lists
from services.indexer.domain.model import Model, Shape, prepare
from tests.unit.contracts.company_tables import columns
from tests.unit.contracts.test_ranking import exactly_nearest
from tests.unit.indexer.planted import UNTRIED, USUAL, known, planted

Arrays = dict[str, NDArray[Any]]
COMPANIES_HOLD = "the files of companies must hold"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def model() -> Model:
    payments = planted(clients=60)
    return prepare(known(payments), Shape(8, 2, 0), USUAL.decay).model(USUAL)


def lists_of(model: Model) -> Arrays:
    """For every client but the first."""
    clients = np.arange(1, 60)
    made = new_lists(model.served_through(None), model.histories, clients, 20)
    return {
        bundle.LIST_ROWS_FILE: np.arange(-1, 59, dtype=np.int32),
        bundle.LIST_COMPANIES_FILE: made.companies,
        bundle.LIST_SCORES_FILE: made.scores,
        bundle.LIST_KINDS_FILE: made.kinds,
    }


@pytest.fixture
def arrays(model: Model) -> Arrays:
    return {
        **arrays_of(table_of(columns(len(model.companies.numbers)))),
        bundle.SOURCE_FILE: model.source,
        bundle.TARGET_FILE: model.target,
        bundle.POPULAR_FILE: model.companies.popular,
        bundle.CLIENTS_FILE: np.arange(120, dtype=np.uint64).reshape(60, 2),
        bundle.OFFSETS_FILE: model.histories.offsets,
        bundle.HISTORY_FILE: model.histories.companies,
        bundle.WEIGHTS_FILE: model.histories.weights,
        bundle.HABITS_FILE: model.histories.habits,
        bundle.TENDENCIES_FILE: np.zeros((len(model.companies.numbers), 2)),
        **lists_of(model),
        bundle.JUDGED_FILE: np.array([3, 5, 7], np.int32),
        bundle.JUDGED_NDCG_FILE: np.array([[0.5, np.nan], [1.0, 0.0], [np.nan, 0.1]], np.float32),
    }


@pytest.fixture
def manifest(model: Model, arrays: Arrays) -> IndexManifest:
    return IndexManifest(
        code_version="test",
        companies=len(model.companies.numbers),
        categories=len(arrays[bundle.CATEGORIES_FILE]),
        text_bytes=len(arrays[bundle.TEXTS_FILE]),
        indexed=model.companies.indexed,
        clients=60,
        pairs=len(model.histories.companies),
        judged=3,
        dimension=9,
        trees=5,
        search_nodes=500,
        lists=len(arrays[bundle.LIST_COMPANIES_FILE]),
        list_length=20,
        habit_weight=2.0,
        training_payments=720,
        first_payment_at=NOON,
        last_payment_at=NOON,
        watermark=None,
        choice=UNTRIED,
        parameters={},
        quality=None,
        files=(),
    )


def set_item(name: str, place: int | tuple[int, int], value: float) -> Callable[[Arrays], None]:
    def change(arrays: Arrays) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][place] = value

    return change


def test_a_sound_bundle_has_no_problem(manifest: IndexManifest, arrays: Arrays) -> None:
    assert list(soundness.array_problems(manifest, arrays)) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_item(bundle.SOURCE_FILE, (0, 0), np.nan), "source_factors.npy holds numbers that are not finite"),
        (set_item(bundle.WEIGHTS_FILE, 3, np.inf), "history_weights.npy holds numbers that are not finite"),
        (set_item(bundle.HABITS_FILE, 3, 1.5), "history_habits.npy holds numbers that are not from 0 to 1"),
        (set_item(bundle.HABITS_FILE, 3, np.nan), "history_habits.npy holds numbers that are not from 0 to 1"),
        (set_item(bundle.POPULAR_FILE, 0, 1), "popular.npy does not name every company once"),
        (set_item(bundle.HISTORY_FILE, 0, -1), "history_companies.npy names companies"),
        (set_item(bundle.HISTORY_FILE, 0, 50), "history_companies.npy names companies"),
        (set_item(bundle.OFFSETS_FILE, 0, 1), "history_offsets.npy does not divide"),
        (set_item(bundle.OFFSETS_FILE, 5, 10_000), "history_offsets.npy does not divide"),
        (set_item(bundle.CLIENTS_FILE, 1, 0), "clients.npy is not in ascending order"),
        (set_item(bundle.TEXT_OFFSETS_FILE, 0, 1), f"{COMPANIES_HOLD} offsets that rise from 0 to"),
        (set_item(bundle.TEXT_OFFSETS_FILE, 3, 10_000), f"{COMPANIES_HOLD} offsets that rise from 0 to"),
        (set_item(bundle.TEXTS_FILE, 3, 0xFF), f"{COMPANIES_HOLD} texts in UTF-8"),
        (
            set_item(bundle.TEXTS_FILE, 3, ord("9")),
            f"{COMPANIES_HOLD} companies in order of company_code",
        ),
        (set_item(bundle.TEXTS_FILE, 199, ord("x")), f"{COMPANIES_HOLD} a key for every code, but 1"),
        (set_item(bundle.CODE_KEYS_FILE, 0, 2**64 - 1), f"{COMPANIES_HOLD} keys of codes in ascending"),
        (set_item(bundle.CODE_COMPANIES_FILE, 0, 50), f"{COMPANIES_HOLD} every company once"),
        (set_item(bundle.LIST_ROWS_FILE, 7, 5), "the lists made ahead must hold every list once"),
        (set_item(bundle.LIST_COMPANIES_FILE, (3, 4), 50), "the lists made ahead must hold dense ids below 50"),
        (set_item(bundle.LIST_COMPANIES_FILE, (3, 4), -1), "the lists made ahead must hold companies from the first"),
        (set_item(bundle.LIST_SCORES_FILE, (3, 4), np.nan), "the lists made ahead must hold finite scores"),
        (set_item(bundle.LIST_KINDS_FILE, (3, 4), 9), "the lists made ahead must hold finite scores, and kinds"),
        (set_item(bundle.JUDGED_FILE, 2, 60), "judged_clients.npy does not name clients in ascending order"),
        (set_item(bundle.JUDGED_FILE, 2, 5), "judged_clients.npy does not name clients in ascending order"),
        (set_item(bundle.JUDGED_NDCG_FILE, (2, 1), 1.5), "judged_ndcg.npy holds numbers that are no NDCG"),
    ],
)
def test_a_wrong_number_is_found_and_its_file_named(
    manifest: IndexManifest, arrays: Arrays, change: Callable[[Arrays], None], problem: str
) -> None:
    change(arrays)

    found = list(soundness.array_problems(manifest, arrays))

    assert len(found) == 1
    assert found[0].startswith(problem)


@pytest.mark.parametrize("name", [name for name in bundle.FILES if name.endswith(".npy")])
def test_an_array_of_another_length_or_type_is_found(manifest: IndexManifest, arrays: Arrays, name: str) -> None:
    shorter = {**arrays, name: arrays[name][:-1]}
    wider = {**arrays, name: np.zeros(arrays[name].shape, np.complex128)}

    for changed in (shorter, wider):
        found = list(soundness.array_problems(manifest, changed))
        assert len(found) == 1
        assert found[0].startswith(name)


def test_a_category_that_is_none_is_found(manifest: IndexManifest, arrays: Arrays) -> None:
    rows = arrays[bundle.COMPANIES_FILE].copy()
    rows["category"][7] = manifest.categories

    found = list(soundness.array_problems(manifest, {**arrays, bundle.COMPANIES_FILE: rows}))

    assert found == ["the files of companies must hold categories from -1 to 1"]


def test_an_annoy_file_must_be_whole_nodes_of_the_manifests_dimension(manifest: IndexManifest) -> None:
    node = 12 + 4 * 10

    assert list(soundness.annoy_size_problems(manifest, node * (manifest.indexed + 3))) == []
    for size in (node * (manifest.indexed + 3) - 4, node * (manifest.indexed - 1), 0):
        assert len(list(soundness.annoy_size_problems(manifest, size))) == 1


def test_the_vectors_of_the_annoy_file_must_be_the_targets(model: Model) -> None:
    vectors = padded(model.target)

    assert list(soundness.vector_problems(model.target, lambda item: vectors[item].tolist())) == []
    zeros = list(soundness.vector_problems(model.target, lambda item: [0.0] * 10))
    assert zeros == ["companies.annoy: the vector of item 0 is not that of target_factors.npy"]


def test_sound_answers_have_no_problem(model: Model, manifest: IndexManifest) -> None:
    factors = model.served_through(exactly_nearest(model.target))

    assert list(soundness.answer_problems(factors, model.histories, manifest)) == []


def test_answers_that_are_short_or_name_a_company_that_is_not_there_are_found(
    model: Model, manifest: IndexManifest
) -> None:
    popular = np.full_like(model.companies.popular, 50)
    factors = replace(model.served_through(lambda vector, count: ()), popular=popular)

    found = set(soundness.answer_problems(factors, model.histories, manifest))

    assert found == {
        "an answer has 1 companies instead of 10",
        "an answer names a company that the catalogue does not hold",
    }


def test_scores_that_are_no_numbers_are_found(model: Model, manifest: IndexManifest) -> None:
    factors = model.served_through(exactly_nearest(model.target))
    broken = replace(model.histories, habits=np.full_like(model.histories.habits, np.inf))

    found = list(soundness.answer_problems(factors, broken, manifest))

    assert "an answer has a score that is no finite number" in found


def test_answers_that_are_too_short_are_found(model: Model, manifest: IndexManifest) -> None:
    factors = replace(model.served_through(lambda vector, count: ()), popular=np.empty(0, np.int32))

    assert "an answer has 0 companies instead of 10" in soundness.answer_problems(factors, model.histories, manifest)


def places(*scores: float) -> list[Ranked]:
    return [Ranked(company, score, modelled=True, already_paid=False) for company, score in enumerate(scores)]


def test_what_is_found_is_the_share_of_places_as_good_as_those_of_an_exact_search() -> None:
    best = places(5.0, 4.0, 3.0, 3.0)

    assert soundness.found_share([places(5.0, 3.0, 3.0, 2.0)], [best]) == 0.75
    assert soundness.found_share([places(5.0, 4.0, 3.0, 3.0), places(5.0)], [best, best]) == 0.625
    assert soundness.found_share([], []) == 1.0


def test_places_filled_with_popular_companies_say_nothing_of_the_search() -> None:
    filled = [place._replace(modelled=False) for place in places(2.0, 1.0)]
    best = places(5.0, 4.0)

    assert soundness.found_share([filled, [*places(5.0), *filled]], [filled, [*best, *filled]]) == 0.5


@pytest.mark.parametrize(("annoy", "exact", "quicker"), [(9.0, 8.9, "exact"), (8.0, 9.0, "annoy"), (8.0, 8.0, "annoy")])
def test_the_quicker_search_is_that_of_the_smaller_median(annoy: float, exact: float, quicker: str) -> None:
    figures = {"annoy_p50_us": annoy, "exact_p50_us": exact}

    assert soundness.quicker_search([Check(name="search", passed=True, detail="", figures=figures)]) == quicker


def test_without_a_measurement_annoy_searches() -> None:
    assert soundness.quicker_search([Check(name="search", passed=True, detail="no client")]) == "annoy"


def test_lists_made_ahead_are_those_of_the_exact_ranking(model: Model, arrays: Arrays) -> None:
    factors = model.served_through(lambda query, count: ())

    assert list(soundness.ahead_problems(factors, model.histories, lists_in(arrays))) == []


@pytest.mark.parametrize(
    ("name", "value"), [(bundle.LIST_COMPANIES_FILE, -1), (bundle.LIST_SCORES_FILE, 0.5), (bundle.LIST_KINDS_FILE, 0)]
)
def test_a_list_made_ahead_that_ranking_would_not_give_is_found(
    model: Model, arrays: Arrays, name: str, value: float
) -> None:
    set_item(name, (0, 19), value)(arrays)

    found = list(soundness.ahead_problems(model.served_through(None), model.histories, lists_in(arrays)))

    assert found == ["a list made ahead is not what ranking gives: that of row 1 of clients.npy"]
