"""Fresh histories as bytes: what is read is what was written, or nothing."""

from datetime import UTC, datetime

import numpy as np
import pytest

from services.contracts.bundle import LedgerPlace
from services.contracts.fresh import KEY, Fresh, FreshColumns, FreshHeader, fresh_key, fresh_of, require_fits

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERSION = "20260301T120000Z-0123456789ab"


def fresh(**changes: object) -> Fresh:
    """Two clients, the second without payments, and one company that went."""
    columns = {
        "keys": np.array([[1, 2], [1, 3]], np.uint64),
        "offsets": np.array([0, 2, 2], np.int64),
        "companies": np.array([4, 0], np.int32),
        "weights": np.array([0.5, 0.25], np.float32),
        "habits": np.array([1.0, 0.0], np.float32),
        "barred": np.array([3], np.int32),
        "successors": np.array([-1], np.int32),
    }
    header = FreshHeader(
        version=VERSION, number=7, behind=LedgerPlace(sequence=3, load_id="run", committed_at=NOON), erasures=("e",),
        changed_at=NOON, clients=2, pairs=2, barred=1,
    )  # fmt: skip
    return Fresh(header, FreshColumns(**{**columns, **changes}))  # type: ignore[arg-type]


def test_what_was_written_is_read() -> None:
    written = fresh()

    read = fresh_of(written.to_bytes(), "object")

    assert read.header == written.header
    assert read.to_bytes() == written.to_bytes()
    assert read.columns.keys.tolist() == [[1, 2], [1, 3]]
    assert read.columns.companies.tolist() == [4, 0]


def test_every_changed_byte_is_noticed() -> None:
    content = fresh().to_bytes()

    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1
        with pytest.raises(ValueError, match="object"):
            fresh_of(bytes(damaged), "object")


def test_every_cut_is_noticed() -> None:
    content = fresh().to_bytes()

    for length in range(len(content)):
        with pytest.raises(ValueError, match="object"):
            fresh_of(content[:length], "object")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("keys", np.array([[1, 3], [1, 2]], np.uint64)),
        ("offsets", np.array([0, 3, 2], np.int64)),
        ("offsets", np.array([1, 2, 2], np.int64)),
        ("companies", np.array([-1, 0], np.int32)),
        ("weights", np.array([np.nan, 0], np.float32)),
        ("habits", np.array([0, 1.5], np.float32)),
        ("barred", np.array([-1], np.int32)),
        ("successors", np.array([-2], np.int32)),
    ],
)
def test_what_is_rightly_signed_must_be_sound_as_well(column: str, values: object) -> None:
    with pytest.raises(ValueError, match="object must hold"):
        fresh_of(fresh(**{column: values}).to_bytes(), "object")


def test_it_fits_its_version_and_its_companies_alone() -> None:
    require_fits(fresh(), VERSION, 5, "object")
    with pytest.raises(ValueError, match="of version"):
        require_fits(fresh(), "another", 5, "object")
    with pytest.raises(ValueError, match="does not hold"):
        require_fits(fresh(), VERSION, 4, "object")


def test_keys_sort_as_numbers_do() -> None:
    keys = [fresh_key(VERSION, number) for number in (9, 10, 1_790_000_000_000)]

    assert keys == sorted(keys)
    assert all((match := KEY.fullmatch(key)) and match[1] == VERSION for key in keys)
