"""What is told beside an index version: histories replaced by newer ones, and companies that went."""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from services.contracts.fresh import FreshColumns
from services.indexer.domain.histories import Histories

Keys = NDArray[np.uint64]
Ids = NDArray[np.int32]


class Outcome(Enum):
    """What came of refreshing a version."""

    REFRESHED = auto()
    UNCHANGED = auto()
    TOO_MANY_CHANGED = auto()
    NOT_POSSIBLE = auto()


@dataclass(frozen=True, slots=True)
class Barred:
    """companies: dense ids, ascending; successors: the dense id that each goes on under, or -1."""

    companies: Ids
    successors: Ids


@dataclass(frozen=True, slots=True)
class ClientHistories:
    """keys: (clients, 2), ascending; histories in the same order."""

    keys: Keys
    histories: Histories


def nobody() -> ClientHistories:
    """No clients."""
    empty = np.zeros(0, dtype=np.float32)
    return ClientHistories(
        np.zeros((0, 2), np.uint64), Histories(np.zeros(1, np.int64), empty.astype(np.int32), empty, empty)
    )


def clients_of(columns: FreshColumns) -> ClientHistories:
    """Those that an object holds."""
    histories = Histories(columns.offsets, columns.companies, columns.weights, columns.habits)
    return ClientHistories(columns.keys, histories)


def replaced(earlier: ClientHistories, newer: ClientHistories, built: Keys) -> ClientHistories:
    """All clients of both, as `newer` has them; those without payments only where the build (its keys) knows them."""
    kept = ~_among(earlier.keys, newer.keys)
    keys = np.concatenate([earlier.keys[kept], newer.keys])
    sizes = np.concatenate([np.diff(earlier.histories.offsets)[kept], np.diff(newer.histories.offsets)])
    begins = np.concatenate(
        [earlier.histories.offsets[:-1][kept], newer.histories.offsets[:-1] + len(earlier.histories.companies)]
    )
    stays = (sizes > 0) | _among(keys, built)
    order = np.flatnonzero(stays)[np.lexsort((keys[stays, 1], keys[stays, 0]))]
    return ClientHistories(keys[order], _gathered(earlier.histories, newer.histories, begins[order], sizes[order]))


def gone(earlier: ClientHistories, built: Keys, paying: Keys) -> Keys:
    """Clients who have a history, in the build or since, and no payments any more."""
    has_payments = np.diff(earlier.histories.offsets) > 0
    known = np.concatenate([earlier.keys[has_payments], built[~_among(built, earlier.keys)]])
    missing = known[~_among(known, merged_keys(paying))]
    return missing[np.lexsort((missing[:, 1], missing[:, 0]))]


def merged_keys(*parts: Keys) -> Keys:
    """Each key of all parts once, ascending."""
    return _keys_of(np.unique(np.concatenate([_whole(part) for part in parts])))


def with_empty(found: ClientHistories, keys: Keys) -> ClientHistories:
    """The same with all of `keys`, ascending, among which are all that were found; the others have empty histories."""
    sizes = np.zeros(len(keys), dtype=np.int64)
    sizes[np.searchsorted(_whole(keys), _whole(found.keys))] = np.diff(found.histories.offsets)
    histories = found.histories
    offsets = np.append(0, np.cumsum(sizes))
    return ClientHistories(keys, Histories(offsets, histories.companies, histories.weights, histories.habits))


def _gathered(first: Histories, second: Histories, begins: NDArray[np.int64], sizes: NDArray[np.int64]) -> Histories:
    """Slices of the pairs of both, one behind the other."""
    offsets = np.append(0, np.cumsum(sizes))
    places = np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], sizes)
    columns = ((getattr(first, name), getattr(second, name)) for name in ("companies", "weights", "habits"))
    return Histories(offsets, *(np.concatenate(both)[places] for both in columns))


def _among(keys: Keys, others: Keys) -> NDArray[np.bool_]:
    """Which of the keys stand among others, which must be ascending."""
    if not len(others):
        return np.zeros(len(keys), dtype=np.bool_)
    known, wanted = _whole(others), _whole(keys)
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found: NDArray[np.bool_] = known[places] == wanted
    return found


def _whole(keys: Keys) -> NDArray[np.void]:
    """(n, 2) -> (n,) of 16 bytes each, which sort as keys do: the higher half first, and big-endian."""
    return np.ascontiguousarray(keys.astype(">u8")).view("V16").reshape(-1)


def _keys_of(whole: NDArray[np.void]) -> Keys:
    return np.ascontiguousarray(whole).view(">u8").reshape(-1, 2).astype(np.uint64)
