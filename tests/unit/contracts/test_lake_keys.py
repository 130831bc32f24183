"""The lake's keys are read back as they are made, and what is not ours is left alone."""

from datetime import date

import pytest

from services.contracts.lake import PaymentsObject, manifest_key, part_key, payments_object, run_folder
from services.contracts.receipt import receipt_key

DAY, RUN = date(2026, 3, 1), "0b0e7a4e-0000-4000-8000-000000000001"
RAW, QUARANTINE = (run_folder(area, "payments", DAY, RUN) for area in ("raw", "quarantine"))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (part_key(RAW, 3, 7), ("raw", "part", 3)),
        (part_key(QUARANTINE, 1_000_000, 123_456), ("quarantine", "part", 1_000_000)),
        (manifest_key(RAW, 12), ("raw", "manifest", 12)),
        (receipt_key(manifest_key(RAW, 12), 2), ("raw", "receipt", 2)),
    ],
)
def test_a_key_tells_what_it_names(key: str, expected: tuple[str, str, int]) -> None:
    found = payments_object(key)

    assert found is not None
    assert (found.area, found.kind, found.number) == expected
    assert found == PaymentsObject(key, found.area, DAY, RUN, found.kind, found.number)


@pytest.mark.parametrize(
    "key",
    [
        "index/published/1.json",
        part_key(run_folder("raw", "companies", DAY, RUN), 1, 1),
        RAW + "/notes.txt",
        RAW.replace("2026-03-01", "2026-02-31") + "/manifest-01.json",
        RAW + "/deeper/manifest-01.json",
    ],
)
def test_what_is_no_object_of_payments_names_nothing(key: str) -> None:
    assert payments_object(key) is None
