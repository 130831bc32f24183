"""Made-up training rows."""

import numpy as np

from bench.index.rows import ROWS_AT_ONCE, Size, batches, client_keys

SIZE = Size(payments=ROWS_AT_ONCE + 1000, clients=2_000, companies=1_000)


def test_rows_are_the_same_every_time_and_as_many_as_asked_for() -> None:
    one, other = list(batches(SIZE)), list(batches(SIZE))

    assert [len(batch.client) for batch in one] == [ROWS_AT_ONCE, 1000]
    for name in ("client", "company", "at", "cents"):
        assert (getattr(one[0], name) == getattr(other[0], name)).all()


def test_clients_and_companies_are_within_the_size_and_nearly_all_of_them_appear() -> None:
    batch = next(batches(SIZE))

    assert 0 <= batch.client.min() <= batch.client.max() < SIZE.clients
    assert 0 <= batch.company.min() <= batch.company.max() < SIZE.companies
    assert len(np.unique(batch.client)) > 0.99 * SIZE.clients
    assert len(np.unique(batch.company)) > 0.99 * SIZE.companies


def test_no_two_clients_share_a_key() -> None:
    keys = client_keys(np.arange(100_000))

    assert len(np.unique(keys, axis=0)) == 100_000
