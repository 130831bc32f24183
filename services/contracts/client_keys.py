"""By what a bundle knows a client: a hash of its id, in two halves, never the id."""

import hashlib
from struct import Struct

import numpy as np
from numpy.typing import NDArray

HALVES = Struct(">QQ")


def client_key(client_id: str) -> tuple[int, int]:
    """The two 64-bit halves, higher first, under which the bundle knows a client (SHA-256 of its UTF-8, cut).

    PostgreSQL computes the same when training rows are read: no client id leaves the warehouse for the index.
    """
    high, low = HALVES.unpack_from(hashlib.sha256(client_id.encode()).digest())
    return high, low


def are_ascending(keys: NDArray[np.uint64]) -> bool:
    """Whether keys, (clients, 2), are in order and none stands twice."""
    high, low = keys[:, 0], keys[:, 1]
    return bool(((high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))).all())
