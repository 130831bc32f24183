"""The requests of both kinds of client."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TypedDict

from afin.ingest.v1.ingest_pb2 import FeedbackEvent, RecordFeedbackRequest
from afin.recommender.v1 import recommender_pb2 as pb

TIMEOUT = timedelta(milliseconds=200)
# Feedback is answered when it lies in the object store, where it is written with that of others.
FEEDBACK_TIMEOUT = timedelta(seconds=5)


class Wishes(TypedDict, total=False):
    """What else Recommend can be asked; see recommender.proto."""

    exclude_company_codes: Sequence[str]
    only_company_codes: Sequence[str]
    category_ids: Sequence[int]
    include_paid: bool
    min_score: float
    max_per_category: int
    with_reasons: bool


class SimilarWishes(TypedDict, total=False):
    """What else SimilarCompanies can be asked; see recommender.proto."""

    exclude_company_codes: Sequence[str]
    category_ids: Sequence[int]


def for_client(client_id: str, max_results: int, wishes: Wishes) -> pb.RecommendRequest:
    """Recommend for a client."""
    return pb.RecommendRequest(client_id=client_id, max_results=max_results, **wishes)


def for_basket(company_codes: Iterable[str], max_results: int, wishes: Wishes) -> pb.RecommendRequest:
    """Recommend as to a client that had paid these companies."""
    return pb.RecommendRequest(company_codes=list(company_codes), max_results=max_results, **wishes)


def batch(requests: Iterable[pb.RecommendRequest]) -> pb.BatchRecommendRequest:
    """Several in one call."""
    return pb.BatchRecommendRequest(requests=requests)


def similar(company_code: str, max_results: int, wishes: SimilarWishes) -> pb.SimilarCompaniesRequest:
    """Companies like one."""
    return pb.SimilarCompaniesRequest(company_code=company_code, max_results=max_results, **wishes)


def told(events: Iterable[FeedbackEvent]) -> RecordFeedbackRequest:
    """Feedback."""
    return RecordFeedbackRequest(events=events)


def no_ingest() -> ValueError:
    """Feedback goes to another service."""
    return ValueError("feedback goes to ingest: name its address, AfinClient(target, ingest='host:port')")
