"""The RPCs: a request is checked, then answered from the one snapshot that was in service when it came."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from typing import TypeVar

import grpc

from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1 import recommender_pb2_grpc as rpc
from services.contracts.identifiers import MAX_ID_CHARACTERS
from services.contracts.recommendation_ids import numbers
from services.recommender import encoding, messages
from services.recommender.access import RPCS
from services.recommender.domain.in_service import InService
from services.recommender.domain.recommending import leading, recommend, strategies_of_new
from services.recommender.domain.requests import (
    InvalidRequest,
    RecommendationRequest,
    SimilarityRequest,
    check_batch,
    check_recommendation,
    check_similar,
)
from services.recommender.domain.similarity import Similar, similar
from services.recommender.domain.snapshot import Snapshot
from services.recommender.metrics import GIVEN
from services.recommender.workflow import SnapshotKeeper
from services.runtime.errors import InvalidArgument, NotFound
from services.runtime.lanes import quick, quick_if, waiting
from services.runtime.patience import Patience
from services.runtime.server import GrpcService

# Each takes some microseconds to find; a quick call must not hold up the others for long.
MOST_EXCLUDED_QUICKLY = 50

FULL_NAME = pb.DESCRIPTOR.services_by_name["RecommenderService"].full_name

# What a request that asks for so many new companies of a client, and for no more, has beside its id: two tags, the id's
# length and the number.
PLAIN_BYTES = 4

Context = grpc.ServicerContext
Wanted = TypeVar("Wanted")


class RecommenderServicer(rpc.RecommenderServiceServicer):
    """Functions for a thread server: what grows with the catalogue or the request is work, one plain list is quick.

    The keeper lives on the event loop in which the servicer is made.
    """

    def __init__(self, keeper: SnapshotKeeper, max_per_category: int = 0) -> None:
        """`max_per_category`: of a request that does not say it; 0 for any number."""
        self._keeper = keeper
        self._max_per_category = max_per_category
        self._loop = asyncio.get_running_loop()
        self._numbers = numbers(secrets.randbits(48))

    def as_service(self) -> GrpcService:
        """As the server takes it; ready while an index is in service."""
        return GrpcService(
            FULL_NAME,
            lambda server: rpc.add_RecommenderServiceServicer_to_server(self, server),
            self._keeper.check_ready,
            RPCS,
        )

    def _looks_near(self, request: pb.RecommendRequest) -> bool:
        """False where a filter makes the ranking look at all companies, or there is much to look up or to tell."""
        if _looks_plain(request) and not self._max_per_category:
            return True
        most = request.max_per_category or self._max_per_category
        wide = request.category_ids or request.only_company_codes or most or request.with_reasons
        return not wide and len(request.exclude_company_codes) <= MOST_EXCLUDED_QUICKLY

    @quick_if(_looks_near)
    def Recommend(self, request: pb.RecommendRequest, context: Context) -> bytes:  # type: ignore[override] # noqa: N802
        """See the proto. Answers are joined from bytes; see encoding."""
        return self._plain_answer(request) or self._answer(request)

    def _plain_answer(self, request: pb.RecommendRequest) -> bytes | None:
        """From the list made ahead; None when something more is asked, or there is no such list."""
        if not _looks_plain(request) or self._max_per_category:
            return None
        client_id, count = request.client_id.strip(), request.max_results
        if not 0 < len(client_id) <= MAX_ID_CHARACTERS:
            return None
        snapshot = self._keeper.current.answering(client_id)
        row = snapshot.row_of_list(client_id, count)
        if row is None:
            return None
        places = snapshot.lists.places(row, count)
        strategies = strategies_of_new(places)
        GIVEN[leading(strategies), snapshot.role].inc()
        return encoding.unexplained(snapshot, places, strategies, True, next(self._numbers))

    def _answer(self, request: pb.RecommendRequest) -> bytes:
        wanted = messages.recommendation_request(request, self._max_per_category)
        _require(check_recommendation, wanted)
        return _answer(self._keeper.current, wanted, self._numbers)

    def BatchRecommend(  # type: ignore[override] # noqa: N802
        self, request: pb.BatchRecommendRequest, context: Context
    ) -> bytes:
        """See the proto."""
        wanted = tuple(messages.recommendation_request(each, self._max_per_category) for each in request.requests)
        _require(check_batch, wanted)
        index = self._keeper.current
        responses = []
        patience = Patience(context)
        for each in wanted:
            patience.check()
            responses.append(_answer(index, each, self._numbers))
        return encoding.batch(responses)

    def SimilarCompanies(  # noqa: N802
        self, request: pb.SimilarCompaniesRequest, context: Context
    ) -> pb.SimilarCompaniesResponse:
        """See the proto."""
        wanted = messages.similarity_request(request)
        _require(check_similar, wanted)
        snapshot = self._keeper.current.main
        return messages.similar_response(snapshot, _similar(snapshot, wanted))

    @quick
    def GetIndexInfo(  # noqa: N802
        self, request: pb.GetIndexInfoRequest, context: Context
    ) -> pb.GetIndexInfoResponse:
        """See the proto."""
        return messages.index_info(self._keeper.current)

    @waiting
    def ReloadIndex(self, request: pb.ReloadIndexRequest, context: Context) -> pb.ReloadIndexResponse:  # noqa: N802
        """See the proto."""
        changed = asyncio.run_coroutine_threadsafe(self._keeper.reload(), self._loop).result()
        return pb.ReloadIndexResponse(index=messages.index_reference(self._keeper.current.main), changed=changed)


def _looks_plain(request: pb.RecommendRequest) -> bool:
    """Whether nothing but a client and a number is in it: then there is room for nothing else.

    False of some that are plain, too, as of a client whose id is not in ASCII. It takes a tenth of asking each field.
    """
    return request.max_results > 0 and request.ByteSize() == len(request.client_id) + PLAIN_BYTES


def _answer(index: InService, wanted: RecommendationRequest, free: Iterator[int]) -> bytes:
    snapshot = index.answering(wanted.client_id)
    found = recommend(snapshot, wanted)
    GIVEN[found.strategy, snapshot.role].inc()
    return encoding.answer(snapshot, found, next(free))


def _similar(snapshot: Snapshot, wanted: SimilarityRequest) -> list[Similar]:
    company = snapshot.catalogue.table.find(wanted.company_code)
    if company is None:
        place = f"in index version {snapshot.publication.version}; codes are the catalogue's"
        raise NotFound(f"no company {wanted.company_code!r} {place}", reason="COMPANY_NOT_FOUND")
    return similar(snapshot, company, wanted)


def _require(check: Callable[[Wanted], None], wanted: Wanted) -> None:
    try:
        check(wanted)
    except InvalidRequest as error:
        raise InvalidArgument(error.field, error.problem) from error
