"""Companies like a company: paid by the same kind of clients or, where too few clients paid it, alike in features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.factors import FloatArray
from services.recommender.domain.requests import SimilarityRequest
from services.recommender.domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Similar:
    """`company` is a dense id; `similarity` the cosine of the target factors, 0 where features alone decided."""

    company: int
    similarity: float


def similar(snapshot: Snapshot, company: int, request: SimilarityRequest) -> list[Similar]:
    """The companies most like the dense id `company`, itself left out, best first; exact, not by Annoy."""
    wanted = _wanted(snapshot, company, request)
    if company >= len(snapshot.target_norms) or not snapshot.target_norms[company]:
        order = _by_features(snapshot, company)
        return [Similar(other, 0.0) for other in _first(order, wanted, request.max_results)]
    cosines = cosines_to(snapshot.factors.target[:, :-1], snapshot.target_norms, company)
    best = _first(np.argsort(-cosines, kind="stable"), wanted, request.max_results)
    return [Similar(other, float(cosines[other])) for other in best]


def cosines_to(vectors: FloatArray, norms: FloatArray, row: int) -> NDArray[np.float64]:
    """(n,) cosines of the rows of (n, d) to one of them, -1 to 1; 0 where a vector is zero."""
    lengths: NDArray[np.float64] = norms.astype(np.float64) * norms[row]
    cosines = np.zeros_like(lengths)
    np.divide(vectors @ vectors[row], lengths, out=cosines, where=lengths > 0)
    np.clip(cosines, -1.0, 1.0, out=cosines)
    return cosines


def _wanted(snapshot: Snapshot, company: int, request: SimilarityRequest) -> NDArray[np.bool_]:
    """(companies,): what the request lets in, of what is still there."""
    catalogue = snapshot.catalogue
    mask = catalogue.mask(request.category_ids)
    wanted = np.ones(len(catalogue.log_amounts), dtype=np.bool_) if mask is None else mask
    wanted[[company, *catalogue.known(request.exclude_company_codes)]] = False
    wanted[snapshot.fresh.barred_companies] = False
    return wanted


def _by_features(snapshot: Snapshot, company: int) -> NDArray[np.int64]:
    """Of the same category first, then by nearness of the logarithm of the average amount, then the popular first."""
    catalogue = snapshot.catalogue
    category = catalogue.table.category_id(company)
    elsewhere = ~catalogue.table.in_categories(() if category is None else (category,))
    gaps = np.abs(catalogue.log_amounts - catalogue.log_amounts[company])
    places = np.empty(len(gaps), dtype=np.int64)
    places[snapshot.factors.popular] = np.arange(len(gaps))
    return np.lexsort((places, np.nan_to_num(gaps, nan=np.inf), elsewhere))


def _first(order: NDArray[np.int64], wanted: NDArray[np.bool_], count: int) -> list[int]:
    found: list[int] = order[wanted[order]][:count].tolist()
    return found
