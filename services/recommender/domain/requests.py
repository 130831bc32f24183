"""What may be asked, checked before any work is done. The limits are those of the proto.

Ids and codes come without white space around them, as the warehouse keeps them.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from services.contracts.identifiers import MAX_ID_CHARACTERS

MAX_RESULTS = 100
MAX_BATCH = 100
MAX_BATCH_RESULTS = 2000
MAX_COMPANY_CODES = 100
MAX_FILTERED = 1000
MAX_CATEGORIES = 100


class InvalidRequest(ValueError):
    """A field of a request is wrong; `field` is its path in the request, `problem` what is wrong with it."""

    def __init__(self, at: str, problem: str) -> None:
        super().__init__(f"{at}: {problem}")
        self.field = at
        self.problem = problem


class RecommendationRequest(NamedTuple):
    """For a client (`client_id`), or for a basket (`company_codes`) as if a client had paid it; never both."""

    max_results: int
    client_id: str = ""
    company_codes: tuple[str, ...] = ()
    exclude_company_codes: tuple[str, ...] = ()
    only_company_codes: tuple[str, ...] = ()
    category_ids: tuple[int, ...] = ()
    include_paid: bool = False
    min_score: float | None = None
    max_per_category: int = 0
    with_reasons: bool = False

    def __repr__(self) -> str:
        """No id: it must not reach a log."""
        return f"{type(self).__name__}(max_results={self.max_results}, ...)"

    @property
    def looks_at_all(self) -> bool:
        """A filter may pass over the companies near the client, and then the ranking looks at all there are."""
        return bool(self.category_ids or self.only_company_codes or self.max_per_category)

    @property
    def is_plain(self) -> bool:
        """Nothing narrows or widens it: the client's new companies are asked for, which a list made ahead may hold."""
        narrowed = self.exclude_company_codes or self.min_score is not None
        return not (narrowed or self.include_paid or self.looks_at_all)


@dataclass(frozen=True, slots=True)
class SimilarityRequest:
    """For companies like the one of `company_code`."""

    company_code: str
    max_results: int
    category_ids: tuple[int, ...] = ()
    exclude_company_codes: tuple[str, ...] = ()


def check_recommendation(request: RecommendationRequest, at: str = "") -> None:
    """Raises InvalidRequest naming the first wrong field; `at` is put before its name, as in `requests[3].`."""
    if request.client_id and request.company_codes:
        raise InvalidRequest(f"{at}company_codes", "must be empty when client_id is given; ask for one of the two")
    if request.company_codes:
        _check_codes(f"{at}company_codes", request.company_codes, MAX_COMPANY_CODES)
    else:
        _check_text(f"{at}client_id", request.client_id, MAX_ID_CHARACTERS, "; give it, or company_codes")
    _check_results(f"{at}max_results", request.max_results)
    if request.exclude_company_codes:
        _check_codes(f"{at}exclude_company_codes", request.exclude_company_codes, MAX_FILTERED)
    if request.only_company_codes:
        _check_codes(f"{at}only_company_codes", request.only_company_codes, MAX_FILTERED)
    _check_count(f"{at}category_ids", len(request.category_ids), MAX_CATEGORIES)
    if request.min_score is not None and not math.isfinite(request.min_score):
        raise InvalidRequest(
            f"{at}min_score", f"must be a finite number, is {request.min_score}; leave it out for no limit"
        )
    if not 0 <= request.max_per_category <= MAX_RESULTS:
        raise InvalidRequest(f"{at}max_per_category", f"must be 0 to {MAX_RESULTS}, is {request.max_per_category}")


def check_batch(requests: tuple[RecommendationRequest, ...]) -> None:
    """Raises InvalidRequest naming the first wrong field of the first wrong request."""
    if not requests:
        raise InvalidRequest("requests", f"must hold 1 to {MAX_BATCH} requests, holds none")
    _check_count("requests", len(requests), MAX_BATCH)
    for number, request in enumerate(requests):
        check_recommendation(request, f"requests[{number}].")
    total = sum(request.max_results for request in requests)
    if total > MAX_BATCH_RESULTS:
        raise InvalidRequest("requests", f"may ask for {MAX_BATCH_RESULTS} max_results in all, ask for {total}")


def check_similar(request: SimilarityRequest) -> None:
    """Raises InvalidRequest naming the first wrong field."""
    _check_text("company_code", request.company_code, MAX_ID_CHARACTERS)
    _check_results("max_results", request.max_results)
    _check_count("category_ids", len(request.category_ids), MAX_CATEGORIES)
    _check_codes("exclude_company_codes", request.exclude_company_codes, MAX_FILTERED)


def _check_results(at: str, count: int) -> None:
    if not 1 <= count <= MAX_RESULTS:
        raise InvalidRequest(at, f"must be 1 to {MAX_RESULTS}, is {count}")


def _check_codes(at: str, codes: tuple[str, ...], most: int) -> None:
    _check_count(at, len(codes), most)
    for number, code in enumerate(codes):
        if not 0 < len(code) <= MAX_ID_CHARACTERS:
            _check_text(f"{at}[{number}]", code, MAX_ID_CHARACTERS)


def _check_count(at: str, count: int, most: int) -> None:
    if count > most:
        raise InvalidRequest(at, f"may hold at most {most}, holds {count}")


def _check_text(at: str, text: str, most: int, advice: str = "") -> None:
    if not text:
        raise InvalidRequest(at, f"must not be empty{advice}")
    if len(text) > most:
        raise InvalidRequest(at, f"may have at most {most} characters, has {len(text)}")
