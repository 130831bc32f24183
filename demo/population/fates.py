"""What happens to payments after they were made: late entry, correction, refund, waiting.

The tables show the source as it stands at the end of the period, so what would happen later has not happened.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from demo.population.payments import SECONDS_PER_DAY

STATUSES = ("paid", "refunded", "pending")
_PAID, _REFUNDED, _PENDING = range(len(STATUSES))

LATE, CORRECTED, REFUNDED, WAITED = 0.03, 0.015, 0.025, 0.02
# Of the payments of the last days, so many still wait.
WAITING, WAITING_DAYS = 0.04, 7
_DAYS_UNTIL = {"late": 4.0, "corrected": 6.0, "refunded": 9.0, "waited": 1.5}
_ENTRY_SECONDS = 90


@dataclass(frozen=True)
class Fates:
    """One entry per payment: seconds since the first midnight, status as a position in STATUSES, cents.

    Where `is_waiting`, there is no time of payment yet.
    """

    created: NDArray[np.int64]
    updated: NDArray[np.int64]
    status: NDArray[np.int64]
    cents: NDArray[np.int64]
    is_waiting: NDArray[np.bool_]


def draw_fates(random: np.random.Generator, second: NDArray[np.int64], cents: NDArray[np.int64], horizon: int) -> Fates:
    """At most one fate a payment; every time is below `horizon`, in seconds."""
    late, corrected, refunded, waited = _choose(random, len(second))
    created = np.minimum(second + random.integers(1, _ENTRY_SECONDS, len(second)), horizon - 1)
    created = _happens(created, second + _delay(random, "late", len(second)), late, horizon)
    created = np.where(waited, np.maximum(second - _delay(random, "waited", len(second)), 0), created)
    updated = np.where(waited, np.maximum(second, created), created)
    after_correction = _happens(updated, updated + _delay(random, "corrected", len(second)), corrected, horizon)
    after_refund = _happens(updated, updated + _delay(random, "refunded", len(second)), refunded, horizon)
    is_corrected, is_refunded = after_correction > updated, after_refund > updated
    recent = second >= horizon - WAITING_DAYS * SECONDS_PER_DAY
    waiting = recent & ~is_corrected & ~is_refunded & (random.random(len(second)) < WAITING)
    return Fates(
        created=created,
        updated=np.where(waiting, created, np.maximum(after_correction, after_refund)),
        status=np.select([waiting, is_refunded], [_PENDING, _REFUNDED], _PAID),
        cents=np.where(is_corrected, _corrected(random, cents), cents),
        is_waiting=waiting,
    )


def _choose(random: np.random.Generator, count: int) -> list[NDArray[np.bool_]]:
    """One mask per fate; no payment is in two of them."""
    draw = random.random(count)
    ends = np.cumsum([0.0, LATE, CORRECTED, REFUNDED, WAITED])
    return [(start <= draw) & (draw < end) for start, end in pairwise(ends)]


def _delay(random: np.random.Generator, fate: str, count: int) -> NDArray[np.int64]:
    """At least an hour; for a late entry, at least a day."""
    least = SECONDS_PER_DAY if fate == "late" else 3600
    return (least + random.exponential(_DAYS_UNTIL[fate] * SECONDS_PER_DAY, count)).astype(np.int64)


def _happens(
    now: NDArray[np.int64], later: NDArray[np.int64], chosen: NDArray[np.bool_], horizon: int
) -> NDArray[np.int64]:
    """The later time where it was chosen and has come before the horizon."""
    return np.where(chosen & (later < horizon), later, now)


def _corrected(random: np.random.Generator, cents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Another amount: between half and one and a half times the first, and never the same."""
    factor = random.uniform(0.5, 1.5, len(cents))
    changed = np.maximum(np.rint(cents * factor).astype(np.int64), 1)
    return np.where(changed == cents, cents + 1, changed)
