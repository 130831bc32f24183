"""The receipts of a lake: of each load the newest generation, checked against its own SHA-256. Blocks."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from services.contracts.receipt import Receipt, receipt_place
from services.runtime.errors import DataLoss
from services.runtime.objects.store import ObjectStore

AT_ONCE = 8


def read_receipts(store: ObjectStore) -> list[Receipt]:
    """All of them. DataLoss, naming the object, for one that is damaged."""
    newest: dict[str, tuple[int, str]] = {}
    for info in store.list("raw/"):
        if place := receipt_place(info.key):
            folder, generation = place
            newest[folder] = max(newest.get(folder, (generation, info.key)), (generation, info.key))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(partial(_read, store), (key for _, key in newest.values())))


def _read(store: ObjectStore, key: str) -> Receipt:
    try:
        return Receipt.from_bytes(store.get(key))
    except ValueError as error:
        raise DataLoss(f"object {key!r} is no whole receipt; restore it", metadata={"key": key}) from error
