"""Payments through files by client, into columns in order."""

import resource
from pathlib import Path

import numpy as np
import pytest

from services.contracts.client_keys import client_key
from services.indexer.adapters.arranging import arranged
from services.indexer.adapters.partition_files import PARTITIONS, ROW, PartitionFiles, Rows, partition_path
from services.indexer.domain.payments import Payments
from services.runtime.errors import Unavailable

CLIENTS = 300
COMPANIES = 20


def made_rows(count: int = 5000) -> Rows:
    rng = np.random.default_rng(3)
    keys = np.array([client_key(f"client-{number}") for number in range(CLIENTS)], dtype=np.uint64)
    rows = np.zeros(count, dtype=ROW)
    rows["high"], rows["low"] = keys[rng.integers(0, CLIENTS, count)].T
    # Few values, so that rows are equal in some columns and differ in others.
    for name, values in (("company", COMPANIES), ("at", 9), ("cents", 3)):
        rows[name] = rng.integers(0, values, count)
    return rows


def through_files(folder: Path, *batches: Rows) -> tuple[Payments, list[tuple[int, int]]]:
    folder.mkdir()
    with PartitionFiles(folder) as files:
        for batch in batches:
            files.add(batch)
    payments, keys = arranged(folder, COMPANIES)
    return payments, [(int(high), int(low)) for high, low in keys]


def columns(payments: Payments) -> list[tuple[int, ...]]:
    parts = (payments.client, payments.company, payments.at, payments.cents)
    return list(zip(*(part.tolist() for part in parts), strict=True))


def test_all_rows_come_back_in_order_of_client_company_time_and_amount(tmp_path: Path) -> None:
    rows = made_rows()

    payments, keys = through_files(tmp_path / "files", rows)

    number = {key: place for place, key in enumerate(sorted({(high, low) for high, low, *_ in rows.tolist()}))}
    assert keys == list(number)
    assert columns(payments) == sorted((number[high, low], *rest) for high, low, *rest in rows.tolist())
    assert (payments.clients, payments.companies) == (CLIENTS, COMPANIES)


def test_a_disk_that_takes_only_a_part_of_the_rows_is_noticed(tmp_path: Path) -> None:
    """So it is with a file that may not grow beyond a size: what still fits is taken, and only the rest is refused."""
    rows = np.zeros(10_000, dtype=ROW)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (rows.nbytes - 1, usual[1]))
    try:
        with (
            pytest.raises(Unavailable, match="folder for temporary files fails: File too large"),
            PartitionFiles(tmp_path) as files,
        ):
            files.add(rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_neither_order_nor_batching_of_rows_matters(tmp_path: Path) -> None:
    rows = made_rows()

    one, _ = through_files(tmp_path / "one", rows)
    other, _ = through_files(tmp_path / "other", rows[3000:], rows[:0], rows[2999::-1])

    assert columns(one) == columns(other)


def test_clients_whose_keys_share_a_half_are_two(tmp_path: Path) -> None:
    rows = np.array([(5, 1, 0, 0, 0), (5, 2, 0, 0, 0), (6, 2, 0, 0, 0), (5, 1, 1, 0, 0)], dtype=ROW)

    payments, keys = through_files(tmp_path / "files", rows)

    assert keys == [(5, 1), (5, 2), (6, 2)]
    assert payments.client.tolist() == [0, 0, 1, 2]


def test_the_columns_are_mapped_and_the_files_by_client_are_gone(tmp_path: Path) -> None:
    payments, _ = through_files(tmp_path / "files", made_rows())

    assert not any(partition_path(tmp_path / "files", number).exists() for number in range(PARTITIONS))
    with pytest.raises(ValueError, match="read-only"):
        payments.client[0] = 1
