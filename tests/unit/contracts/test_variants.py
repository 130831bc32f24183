"""Who gets which variant. Clients are numbered, so that every run chooses the same."""

from itertools import pairwise

import pytest

from services.contracts.client_keys import client_key
from services.contracts.variants import Split, is_experiment_name

KEYS = [client_key(f"client-{number}") for number in range(20_000)]
# Of the first 20 clients, half of whom the experiment fewer-factors takes.
PINNED = [0, 1, 7, 10, 12, 14, 16, 17, 18]
# Of chi square with 19 degrees of freedom: one in a thousand fair splits lies above.
CHI_SQUARE_BOUND = 43.8


def chosen(experiment: str, share: float) -> set[tuple[int, int]]:
    split = Split(experiment, share)
    return {key for key in KEYS if split.takes(key)}


@pytest.mark.parametrize("experiment", ["fewer-factors", "a", "exact", "x" * 40])
def test_clients_are_spread_evenly(experiment: str) -> None:
    cumulative = [0, *(len(chosen(experiment, step / 20)) for step in range(1, 20)), len(KEYS)]
    expected = len(KEYS) / 20

    chi_square = sum((after - before - expected) ** 2 / expected for before, after in pairwise(cumulative))

    assert chi_square < CHI_SQUARE_BOUND


def test_a_client_keeps_its_variant() -> None:
    assert chosen("a", 0.3) == chosen("a", 0.3)


def test_the_choice_is_the_same_in_every_version_of_the_code() -> None:
    taken = [number for number in range(20) if Split("fewer-factors", 0.5).takes(client_key(f"client-{number}"))]

    assert taken == PINNED


def test_a_larger_share_keeps_who_was_chosen() -> None:
    assert chosen("a", 0.1) < chosen("a", 0.2) < chosen("a", 0.9)


def test_another_experiment_chooses_anew() -> None:
    both = len(chosen("a", 0.5) & chosen("b", 0.5)) / len(KEYS)

    assert both == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("share", "expected"), [(1e-300, 0), (1 - 2**-53, len(KEYS))])
def test_the_smallest_and_the_largest_share_choose_nobody_and_all(share: float, expected: int) -> None:
    assert len(chosen("a", share)) == expected


@pytest.mark.parametrize("name", ["a", "fewer-factors", "2026-03", "x" * 40])
def test_names_of_experiments(name: str) -> None:
    assert is_experiment_name(name)


@pytest.mark.parametrize("name", ["", "main", "challenger", "-a", "A", "a b", "ä", "a\n", "x" * 41])
def test_other_names_are_refused(name: str) -> None:
    assert not is_experiment_name(name)
