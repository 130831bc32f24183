"""Rows as PostgreSQL copies them."""

import struct

import numpy as np
import pytest

from services.indexer.adapters.copied_rows import CopiedRows

Row = tuple[int, int, int, int, int]
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
ROWS: list[Row] = [
    (2**64 - 1, 7, 3, 0, 100),
    (1, 2**63, 2**31 - 1, -1, -5),
    (5, 6, 0, 2_000_000_000_000_001, 10**17 + 1),
]


def copied(rows: list[Row]) -> bytes:
    fields = (struct.pack(">hiQQiiiqiq", 4, 16, *row[:2], 4, row[2], 8, row[3], 8, row[4]) for row in rows)
    return HEADER + b"".join(fields) + END


def decoded(content: bytes, piece: int, at_once: int) -> tuple[list[Row], int]:
    rows = CopiedRows(at_once)
    found = []
    for begin in range(0, len(content), piece):
        rows.add(content[begin : begin + piece])
        if rows.is_full:
            found.append(rows.rows())
    found.append(rows.last_rows())
    return np.concatenate(found).tolist(), rows.left_out


@pytest.mark.parametrize("piece", [1, 53, 54, 55, 1000])
@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_rows_are_exact_however_their_bytes_come(piece: int, at_once: int) -> None:
    found, left_out = decoded(copied(ROWS), piece, at_once)

    assert found == [(high, low, company, at + 946_684_800_000_000, cents) for high, low, company, at, cents in ROWS]
    assert left_out == 0


def test_rows_of_no_known_company_are_left_out_and_counted() -> None:
    found, left_out = decoded(copied([ROWS[0], (9, 9, -1, 0, 0), ROWS[2]]), 1000, 100)

    assert [row[2] for row in found] == [3, 0]
    assert left_out == 1


def test_no_rows_are_no_error() -> None:
    assert decoded(copied([]), 1000, 100) == ([], 0)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "does not begin"),
        (copied(ROWS)[:-1], "does not end"),
        (copied(ROWS)[:-10], "does not end"),
        (copied(ROWS).replace(struct.pack(">i", 16), struct.pack(">i", 15), 1), "another width"),
    ],
)
def test_what_is_not_such_a_copy_is_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(RuntimeError, match=complaint):
        decoded(content, 1000, 100)
