"""The client for threads: one for the whole process, which all of them may use at once."""

import time
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Self, TypeVar, Unpack, cast

import grpc

from afin.ingest.v1.ingest_pb2 import FeedbackEvent, RecordFeedbackResponse
from afin.ingest.v1.ingest_pb2_grpc import IngestServiceStub
from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1.recommender_pb2_grpc import RecommenderServiceStub
from afin_client import requests
from afin_client.connecting import INGEST, RECOMMENDER, Tls, metadata_of, sync_channel
from afin_client.errors import AfinError, Closed, FailedCall, error_of
from afin_client.requests import FEEDBACK_TIMEOUT, TIMEOUT, SimilarWishes, Wishes
from afin_client.retrying import Attempts, Budget

Answer = TypeVar("Answer")


class AfinClient:
    """Calls the recommender at `target`, and ingest for feedback. Methods raise AfinError.

    `target`: host:port, or dns:///name:port of a name with all replicas' addresses. `timeout`: of a call with all its
    tries, unless the call names another; the first one also connects.
    """

    def __init__(
        self,
        target: str,
        *,
        ingest: str | None = None,
        key: str | None = None,
        tls: Tls | None = None,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        self._timeout = timeout
        self._metadata = metadata_of(key)
        self._budget = Budget()
        self._channels = ExitStack()
        self._closed = False
        self._recommender = RecommenderServiceStub(self._channels.enter_context(sync_channel(target, RECOMMENDER, tls)))
        self._ingest = (
            IngestServiceStub(self._channels.enter_context(sync_channel(ingest, INGEST, tls))) if ingest else None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections, and calls under way, which raise Closed."""
        self._closed = True
        self._channels.close()

    def recommend(
        self, client_id: str, max_results: int = 10, *, timeout: timedelta | None = None, **wishes: Unpack[Wishes]
    ) -> pb.RecommendResponse:
        """Companies for a client, best first."""
        return self._call(self._recommender.Recommend, requests.for_client(client_id, max_results, wishes), timeout)

    def recommend_for_basket(
        self,
        company_codes: Iterable[str],
        max_results: int = 10,
        *,
        timeout: timedelta | None = None,
        **wishes: Unpack[Wishes],
    ) -> pb.RecommendResponse:
        """Companies as for a client that had paid these."""
        request = requests.for_basket(company_codes, max_results, wishes)
        return self._call(self._recommender.Recommend, request, timeout)

    def batch(
        self, asked: Iterable[pb.RecommendRequest], *, timeout: timedelta | None = None
    ) -> pb.BatchRecommendResponse:
        """Several requests in one call, answered in their order."""
        return self._call(self._recommender.BatchRecommend, requests.batch(asked), timeout)

    def similar(
        self,
        company_code: str,
        max_results: int = 10,
        *,
        timeout: timedelta | None = None,
        **wishes: Unpack[SimilarWishes],
    ) -> pb.SimilarCompaniesResponse:
        """Companies paid by the same kind of clients. NotFound when the index does not know the company."""
        request = requests.similar(company_code, max_results, wishes)
        return self._call(self._recommender.SimilarCompanies, request, timeout)

    def feedback(
        self, events: Iterable[FeedbackEvent], *, timeout: timedelta = FEEDBACK_TIMEOUT
    ) -> RecordFeedbackResponse:
        """Tells up to 1000 events; `refused` of the answer names those that are not taken."""
        if self._ingest is None:
            raise requests.no_ingest()
        return self._call(self._ingest.RecordFeedback, requests.told(events), timeout)

    def _call(
        self, method: "grpc.UnaryUnaryMultiCallable[Any, Answer]", request: Any, timeout: timedelta | None
    ) -> Answer:
        attempts = Attempts(timeout or self._timeout, self._budget)
        failure: AfinError
        while True:
            try:
                answer = method(request, timeout=attempts.time_left(), metadata=self._metadata)
            except grpc.RpcError as error:
                failure = error_of(cast("FailedCall", error))
            except ValueError:  # so grpc refuses a call on a channel that is closed
                if not self._closed:
                    raise
                failure = Closed()
            else:
                attempts.succeeded()
                return answer
            if self._closed:
                raise Closed
            # Outside the handler: the error that a caller sees says all, and needs no second traceback.
            time.sleep(attempts.pause_after(failure))
