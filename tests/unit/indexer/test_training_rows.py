"""Rows of the warehouse become columns of small integers."""

import numpy as np

from services.contracts.bundle import client_key
from services.indexer.adapters.training_rows import PaymentColumns

Row = tuple[str, str, int, int]
ROWS: list[Row] = [
    ("anna", "C2", 30, 100),
    ("bert", "C1", 10, 200),
    ("anna", "C1", 20, 300),
    ("carl", "elsewhere", 40, 400),
]


def columns_of(*batches: list[Row]) -> PaymentColumns:
    columns = PaymentColumns(["C1", "C2"])
    for batch in batches:
        columns.add(batch)
    return columns


def test_rows_give_the_same_columns_in_any_order_and_batching() -> None:
    one, one_keys = columns_of(ROWS).finished()
    other, other_keys = columns_of(ROWS[2:], [], ROWS[1::-1]).finished()

    assert one_keys.tolist() == other_keys.tolist()
    for name in ("client", "company", "at", "cents"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


def test_clients_are_numbered_by_their_keys() -> None:
    payments, keys = columns_of(ROWS).finished()

    assert [tuple(key) for key in keys.tolist()] == sorted(client_key(name) for name in ("anna", "bert"))
    paid = {tuple(keys[client].tolist()) for client in payments.client[payments.company == 1]}
    assert paid == {client_key("anna")}


def test_payments_to_unknown_companies_are_left_out_and_counted() -> None:
    columns = columns_of(ROWS)

    assert (columns.rows, columns.left_out) == (3, 1)
    assert columns.finished()[0].clients == 2


def test_large_times_and_amounts_are_exact() -> None:
    payments, _ = columns_of([("anna", "C1", 4_102_444_800_000_001, 10**17 + 1)]).finished()

    assert payments.at.tolist() == [4_102_444_800_000_001]
    assert payments.cents.tolist() == [10**17 + 1]
    assert payments.at.dtype == np.int64
