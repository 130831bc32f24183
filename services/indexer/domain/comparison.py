"""How one index version differs from another: in what it knows, in how good it is, and in what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.bundle import IndexManifest
from services.contracts.companies import CompanyTable
from services.contracts.factors import Factors
from services.contracts.ranking import Query, rank
from services.contracts.validation import Comparison, PairedQuality, Turnover
from services.indexer.domain.evaluation import LIST_LENGTH, paired_difference
from services.indexer.domain.histories import Histories

MOST_EXAMPLES = 20
SAMPLE_CLIENTS = 200
TASKS = ("new", "any")

Keys = NDArray[np.uint64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. keys: (clients, 2) ascending; holdout: (clients, 2), NDCG@10 of `new` and `any` of the clients
    that were judged by, NaN of the others.
    """

    version: str
    manifest: IndexManifest
    table: CompanyTable
    factors: Factors
    histories: Histories
    keys: Keys
    holdout: NDArray[np.float32]


def compare(base: Side, ours: Side) -> Comparison:
    """What changed from `base` to `ours`."""
    base_rows, rows = common_clients(base.keys, ours.keys)
    sample = np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE_CLIENTS)).astype(np.int64)
    overlaps = [overlap(base, base_rows[sample], ours, rows[sample], task == "any") for task in TASKS]
    new, repeats = (paired(base, base_rows, ours, rows, column) for column in range(len(TASKS)))
    indexed = (_codes(side)[: side.manifest.indexed] for side in (base, ours))
    return Comparison(
        base=base.version,
        base_training_payments=base.manifest.training_payments,
        training_payments=ours.manifest.training_payments,
        clients=_counted(len(base.keys), len(ours.keys), len(rows)),
        companies=turnover(_codes(base), _codes(ours)),
        indexed=turnover(*indexed),
        popular=turnover(_popular(base), _popular(ours)),
        new=new,
        any=repeats,
        overlap_clients=len(sample),
        overlap_new=overlaps[0],
        overlap_any=overlaps[1],
    )


def common_clients(base: Keys, ours: Keys) -> tuple[Rows, Rows]:
    """Rows of the clients that both know, in the same order. Both (n, 2) and ascending, each key once."""
    if not len(base) or not len(ours):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    # Of keys with one first half, which 128-bit hashes do not have, only the first would be found.
    places = np.minimum(np.searchsorted(base[:, 0], ours[:, 0]), len(base) - 1)
    rows = np.flatnonzero((base[places] == ours).all(axis=1))
    return places[rows].astype(np.int64), rows.astype(np.int64)


def paired(base: Side, base_rows: Rows, ours: Side, rows: Rows, column: int) -> PairedQuality | None:
    """Both by the clients that both were judged by; None without any."""
    theirs = base.holdout[base_rows, column].astype(np.float64)
    values = ours.holdout[rows, column].astype(np.float64)
    judged = np.isfinite(theirs) & np.isfinite(values)
    if not judged.any():
        return None
    difference = paired_difference(values[judged], theirs[judged])
    return PairedQuality(
        clients=int(judged.sum()),
        base_ndcg=float(theirs[judged].mean()),
        ndcg=float(values[judged].mean()),
        difference=difference.mean,
        difference_low=difference.low,
        difference_high=difference.high,
    )


def overlap(base: Side, base_rows: Rows, ours: Side, rows: Rows, include_paid: bool) -> float | None:
    """The mean share of the answers of both sides, client by client, that are the same companies; None of no client."""
    if not len(rows):
        return None
    query = Query(LIST_LENGTH, include_paid)
    shares = []
    for base_row, row in zip(base_rows.tolist(), rows.tolist(), strict=True):
        theirs, answers = _answers(base, base_row, query), _answers(ours, row, query)
        shares.append(len(theirs & answers) / max(len(theirs), len(answers), 1))
    return float(np.mean(shares))


def turnover(before: Sequence[str], after: Sequence[str]) -> Turnover:
    """From codes to codes, with the first examples in order."""
    old, new = set(before), set(after)
    came, went = sorted(new - old), sorted(old - new)
    return Turnover(
        before=len(old),
        after=len(new),
        came=len(came),
        went=len(went),
        came_examples=tuple(came[:MOST_EXAMPLES]),
        went_examples=tuple(went[:MOST_EXAMPLES]),
    )


def _counted(before: int, after: int, common: int) -> Turnover:
    return Turnover(before=before, after=after, came=after - common, went=before - common)


def _codes(side: Side) -> Sequence[str]:
    return side.table.codes.tolist()


def _popular(side: Side) -> list[str]:
    return [side.table.code(company) for company in side.factors.popular[:LIST_LENGTH].tolist()]


def _answers(side: Side, row: int, query: Query) -> set[str]:
    return {side.table.code(place.company) for place in rank(side.factors, side.histories.of(row), query)}
