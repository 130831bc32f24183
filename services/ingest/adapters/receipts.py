"""Receipts of loads, as they stand in the lake."""

from services.contracts.receipt import LOADED, UPDATED, Receipt, receipt_key, receipt_place
from services.ingest.adapters.once import put_once
from services.runtime.errors import DataLoss
from services.runtime.objects.store import ObjectStore


def keep_receipt(store: ObjectStore, receipt: Receipt) -> None:
    """Stores what the lake lacks of a load's receipts. A generation stays as it is once there is a later one.

    AlreadyExists when the newest one tells something else of the load.
    """
    prefix = receipt_key(receipt.manifest_key, LOADED).removesuffix(f"{LOADED}.json")
    newest = max((place[1] for info in store.list(prefix) if (place := receipt_place(info.key))), default=LOADED)
    generations = {LOADED: receipt.model_copy(update={"update_sequence": None})}
    if receipt.update_sequence is not None:
        generations[UPDATED] = receipt
    for generation, told in generations.items():
        if generation >= newest:
            put_once(store, receipt_key(receipt.manifest_key, generation), told.to_bytes())


def read_receipt(store: ObjectStore, key: str) -> Receipt:
    """A receipt, checked against the checksum that it carries. ObjectNotFound, or DataLoss for bytes that are none."""
    try:
        return Receipt.from_bytes(store.get(key))
    except ValueError as error:
        raise DataLoss(f"object {key!r} is no whole receipt; restore it", metadata={"key": key}) from error
