"""Companies like a company: paid by the same kind of clients or, where too few clients paid it, alike in features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.ranking import FloatArray
from services.recommender.domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Similar:
    """`company` is a dense id; `similarity` the cosine of the target factors, 0 where features alone decided."""

    company: int
    similarity: float


def similar(snapshot: Snapshot, company: int, count: int) -> list[Similar]:
    """The `count` companies most like the dense id `company`, itself left out, best first; exact, not by Annoy."""
    if company >= len(snapshot.target_norms) or not snapshot.target_norms[company]:
        return [Similar(other, 0.0) for other in _nearest_by_features(snapshot, company, count)]
    cosines = cosines_to(snapshot.factors.target[:, :-1], snapshot.target_norms, company)
    best = _first(np.lexsort((-cosines,)), company, count)
    return [Similar(other, float(cosines[other])) for other in best]


def cosines_to(vectors: FloatArray, norms: FloatArray, row: int) -> NDArray[np.float64]:
    """(n,) cosines of the rows of (n, d) to one of them, -1 to 1; 0 where a vector is zero."""
    lengths: NDArray[np.float64] = norms.astype(np.float64) * norms[row]
    cosines = np.zeros_like(lengths)
    np.divide(vectors @ vectors[row], lengths, out=cosines, where=lengths > 0)
    np.clip(cosines, -1.0, 1.0, out=cosines)
    return cosines


def _nearest_by_features(snapshot: Snapshot, company: int, count: int) -> list[int]:
    """Of the same category first, then by nearness of the logarithm of the average amount, then the popular first."""
    catalogue = snapshot.catalogue
    category = catalogue.table.category_id[company]
    elsewhere = np.ones(len(catalogue.log_amounts), dtype=np.bool_)
    if category is not None:
        elsewhere[catalogue.members[category]] = False
    gaps = np.abs(catalogue.log_amounts - catalogue.log_amounts[company])
    places = np.empty(len(gaps), dtype=np.int64)
    places[snapshot.factors.popular] = np.arange(len(gaps))
    return _first(np.lexsort((places, np.nan_to_num(gaps, nan=np.inf), elsewhere)), company, count)


def _first(order: NDArray[np.int64], left_out: int, count: int) -> list[int]:
    return [other for other in order[: count + 1].tolist() if other != left_out][:count]
