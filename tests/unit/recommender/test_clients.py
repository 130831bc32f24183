"""From a client's id to its history."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.contracts.client_keys import client_key
from services.recommender.domain.clients import ClientHistories

BIG = 2**64 - 1
KEYS = np.array([(0, 0), (5, 1), (5, 7), (5, 9), (2**63, 3), (BIG, BIG)], dtype=np.uint64)


def histories_of(keys: NDArray[np.uint64]) -> ClientHistories:
    """Of clients that paid nobody."""
    nothing = np.empty(0, np.float32)
    return ClientHistories(keys, np.zeros(len(keys) + 1, np.int64), np.empty(0, np.int32), nothing, nothing)


@pytest.mark.parametrize("row", range(len(KEYS)))
def test_every_key_is_found_also_where_first_halves_are_equal(row: int) -> None:
    high, low = (int(half) for half in KEYS[row])

    assert histories_of(KEYS).row_of_key((high, low)) == row


@pytest.mark.parametrize("key", [(0, 1), (5, 0), (5, 8), (5, 10), (6, 1), (2**63, 2), (2**63 - 1, 3), (BIG, BIG - 1)])
def test_a_key_that_differs_in_either_half_is_not_found(key: tuple[int, int]) -> None:
    assert histories_of(KEYS).row_of_key(key) is None


def test_nothing_is_found_among_no_clients() -> None:
    assert histories_of(KEYS[:0]).row_of_key((1, 2)) is None


def test_a_client_is_found_by_its_id_with_its_own_slice() -> None:
    clients = sorted(["anna", "bo", "carl"], key=client_key)
    histories = ClientHistories(
        keys=np.array([client_key(client) for client in clients], dtype=np.uint64),
        offsets=np.array([0, 1, 3, 3]),
        companies=np.array([4, 5, 6], dtype=np.int32),
        weights=np.array([1, 2, 3], dtype=np.float32),
        habits=np.zeros(3, dtype=np.float32),
    )

    found = [histories.find(client) for client in clients]

    assert [each.companies.tolist() for each in found if each] == [[4], [5, 6], []]
    assert histories.find("dora") is None
