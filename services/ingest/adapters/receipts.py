"""Receipts of loads, as they stand in the lake."""

from services.contracts.receipt import Receipt
from services.runtime.errors import DataLoss
from services.runtime.objects.store import ObjectStore


def read_receipt(store: ObjectStore, key: str) -> Receipt:
    """A receipt, checked against the checksum that it carries. ObjectNotFound, or DataLoss for bytes that are none."""
    try:
        return Receipt.from_bytes(store.get(key))
    except ValueError as error:
        raise DataLoss(f"object {key!r} is no whole receipt; restore it", metadata={"key": key}) from error
