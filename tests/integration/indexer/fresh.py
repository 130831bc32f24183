"""Fresh histories as a test looks at them."""

from services.contracts.client_keys import client_key
from services.contracts.factors import History
from services.contracts.fresh import FRESH_PREFIX, Fresh, fresh_of
from services.runtime.objects.local import LocalObjectStore


def keys_of(store: LocalObjectStore) -> list[str]:
    """The keys of all fresh objects."""
    return [info.key for info in store.list(FRESH_PREFIX)]


def newest(store: LocalObjectStore) -> Fresh:
    """The only object there is."""
    (key,) = keys_of(store)
    return fresh_of(store.get(key), key)


def history_of(fresh: Fresh, client: str) -> History | None:
    """A client's history; None where it is not told."""
    columns = fresh.columns
    wanted = list(client_key(client))
    for row, key in enumerate(columns.keys.tolist()):
        if key == wanted:
            part = slice(int(columns.offsets[row]), int(columns.offsets[row + 1]))
            return History(columns.companies[part], columns.weights[part], columns.habits[part])
    return None
