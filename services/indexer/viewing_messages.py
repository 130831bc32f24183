"""Between messages and what is asked of one version by who looks at it."""

from afin.indexer.v1 import indexer_pb2 as pb
from afin.recommender.v1 import recommender_pb2
from services.contracts.client_keys import client_key
from services.contracts.identifiers import MAX_ID_CHARACTERS
from services.indexer.domain.viewing import Answer, CompanyMap, Place, Point, Question
from services.indexer.workflow.view import MOST_POINTS
from services.runtime.errors import InvalidArgument

USUAL_POINTS = 1000
MOST_PLACES, MOST_CODES = 100, 100


def checked_points(count: int) -> int:
    """How many companies of a map; 0 stands for the usual number."""
    if not 0 <= count <= MOST_POINTS:
        raise InvalidArgument("max_companies", f"must be 1 to {MOST_POINTS}, or 0 for {USUAL_POINTS}")
    return count or USUAL_POINTS


def question_of(request: pb.RecommendFromVersionRequest) -> Question:
    """Either for a client or for a basket, text stripped as it was before it entered the warehouse.

    The client's id goes no further than here.
    """
    client_id = request.client_id.strip()
    if bool(client_id) == bool(request.company_codes):
        raise InvalidArgument("client_id", "give either client_id or company_codes")
    if len(client_id) > MAX_ID_CHARACTERS:
        raise InvalidArgument("client_id", f"must be at most {MAX_ID_CHARACTERS} characters")
    if len(request.company_codes) > MOST_CODES:
        raise InvalidArgument("company_codes", f"must be at most {MOST_CODES}")
    if not 1 <= request.max_results <= MOST_PLACES:
        raise InvalidArgument("max_results", f"must be 1 to {MOST_PLACES}")
    return Question(
        about="answer",
        most=request.max_results,
        client_key=client_key(client_id) if client_id else None,
        company_codes=tuple(code.strip() for code in request.company_codes),
        include_paid=request.include_paid,
    )


def map_message(version: str, seen: CompanyMap, most: int) -> pb.GetCompanyMapResponse:
    """Of at most so many companies."""
    return pb.GetCompanyMapResponse(
        version=version,
        companies=map(_point, seen.points[:most]),
        explained=seen.explained,
        popularity=[pb.PopularityPoint(rank=rank, clients=clients) for rank, clients in seen.popularity],
    )


def answer_message(version: str, answer: Answer) -> pb.RecommendFromVersionResponse:
    """As the recommender would tell it."""
    return pb.RecommendFromVersionResponse(
        version=version, client_known=answer.known, recommendations=map(_place, answer.places)
    )


def _point(point: Point) -> pb.CompanyPoint:
    company = point.company
    return pb.CompanyPoint(
        company_code=company.code,
        company_name=company.name,
        x=point.x,
        y=point.y,
        clients=point.clients,
        category_id=company.category_id,
        category_name=company.category_name,
    )


def _place(place: Place) -> recommender_pb2.Recommendation:
    company = place.company
    return recommender_pb2.Recommendation(
        company_id=company.company_id,
        company_code=company.code,
        company_name=company.name,
        score=place.score,
        strategy=_strategy(place),
        reasons=[
            recommender_pb2.Reason(company_code=why.code, company_name=why.name, share=why.share)
            for why in place.reasons
        ],
        already_paid=place.already_paid,
        category_id=company.category_id,
        category_name=company.category_name,
    )


def _strategy(place: Place) -> "recommender_pb2.Strategy.ValueType":
    """As the recommender names it."""
    if place.modelled and place.already_paid:
        return recommender_pb2.STRATEGY_HISTORY
    return recommender_pb2.STRATEGY_COLLABORATIVE if place.from_history else recommender_pb2.STRATEGY_POPULAR
