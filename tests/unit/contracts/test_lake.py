"""Keys of the lake, and documents that carry their own checksum."""

import pytest

from services.contracts.lake import manifest_attempt, manifest_key
from services.contracts.receipt import Receipt, receipt_key, receipt_place
from tests.receipts import a_receipt

FOLDER = "raw/payments/updated_date=2026-03-07/run=x"


@pytest.mark.parametrize("attempt", [1, 9, 10, 99, 100, 12345])
def test_the_attempt_can_be_read_from_its_manifests_key(attempt: int) -> None:
    assert manifest_attempt(manifest_key(FOLDER, attempt)) == attempt


@pytest.mark.parametrize("name", ["manifest.json", "manifest-1.json", "manifest-01.json.bak", "part-01-00000.parquet"])
def test_another_key_is_no_manifests(name: str) -> None:
    assert manifest_attempt(f"{FOLDER}/{name}") is None


def test_a_receipt_stands_beside_its_manifest_under_its_generation() -> None:
    key = receipt_key(manifest_key(FOLDER, 3), 12)

    assert key == f"{FOLDER}/receipt-12.json"
    assert receipt_place(key) == (FOLDER, 12)
    assert receipt_place(manifest_key(FOLDER, 3)) is None


def test_a_document_comes_back_as_it_was_stored() -> None:
    receipt = a_receipt(late=3)

    assert Receipt.from_bytes(receipt.to_bytes()) == receipt


def test_a_document_with_any_changed_byte_is_refused() -> None:
    stored = a_receipt().to_bytes()

    for place in range(len(stored)):
        with pytest.raises(ValueError, match="SHA-256"):
            Receipt.from_bytes(stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :])


@pytest.mark.parametrize("stored", [b"", b"{}", a_receipt().to_bytes()[:-1], a_receipt().to_bytes() + b" "])
def test_bytes_that_are_no_whole_document_are_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Receipt.from_bytes(stored)
