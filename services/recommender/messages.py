"""Between protobuf and the domain."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from time import time

from afin.recommender.v1 import recommender_pb2 as pb
from services.contracts.bundle import Publication, TaskQuality
from services.contracts.companies import CompanyTable
from services.contracts.recommendation_ids import Origin, encoded
from services.recommender.domain.explaining import Cause, Explanation
from services.recommender.domain.in_service import InService, of_challenger
from services.recommender.domain.recommending import Recommendation, Recommendations, Strategy
from services.recommender.domain.requests import RecommendationRequest, SimilarityRequest
from services.recommender.domain.similarity import Similar
from services.recommender.domain.snapshot import Snapshot
from services.runtime.timestamps import timestamp_of

STRATEGIES = {
    Strategy.COLLABORATIVE: pb.STRATEGY_COLLABORATIVE,
    Strategy.HISTORY: pb.STRATEGY_HISTORY,
    Strategy.POPULAR: pb.STRATEGY_POPULAR,
}
CAUSES = {
    Cause.HISTORY: pb.STRATEGY_CAUSE_HISTORY,
    Cause.CLIENT_UNKNOWN: pb.STRATEGY_CAUSE_CLIENT_UNKNOWN,
    Cause.HISTORY_NOT_INDEXED: pb.STRATEGY_CAUSE_HISTORY_NOT_INDEXED,
    Cause.NOTHING_LEFT: pb.STRATEGY_CAUSE_NOTHING_LEFT,
    Cause.POPULARITY_LEADS: pb.STRATEGY_CAUSE_POPULARITY_LEADS,
}


def recommendation_request(request: pb.RecommendRequest, max_per_category: int) -> RecommendationRequest:
    """Text is stripped, as it was before it entered the warehouse. `max_per_category`: where none is asked for."""
    return RecommendationRequest(
        max_results=request.max_results,
        client_id=request.client_id.strip(),
        company_codes=_stripped(request.company_codes),
        exclude_company_codes=_stripped(request.exclude_company_codes),
        only_company_codes=_stripped(request.only_company_codes),
        category_ids=tuple(request.category_ids),
        include_paid=request.include_paid,
        min_score=request.min_score if request.HasField("min_score") else None,
        max_per_category=request.max_per_category or max_per_category,
        with_reasons=request.with_reasons,
    )


def similarity_request(request: pb.SimilarCompaniesRequest) -> SimilarityRequest:
    """Text is stripped, as it was before it entered the warehouse."""
    return SimilarityRequest(
        company_code=request.company_code.strip(),
        max_results=request.max_results,
        category_ids=tuple(request.category_ids),
        exclude_company_codes=_stripped(request.exclude_company_codes),
    )


def recommend_response(snapshot: Snapshot, answer: Recommendations, number: int) -> pb.RecommendResponse:
    """With names from the snapshot that the answer came from; `number`: one that no other answer has."""
    table = snapshot.catalogue.table
    return pb.RecommendResponse(
        recommendations=[_recommendation(table, place) for place in answer.places],
        strategy=STRATEGIES[answer.strategy],
        client_known=answer.client_known,
        index=index_reference(snapshot),
        recommendation_id=encoded(origin_of(snapshot), STRATEGIES[answer.strategy], int(time()), number).decode(),
        variant=snapshot.variant,
        explanation=_explanation(answer.explanation) if answer.explanation else None,
    )


def similar_response(snapshot: Snapshot, companies: list[Similar]) -> pb.SimilarCompaniesResponse:
    """With names from the snapshot that the answer came from."""
    table = snapshot.catalogue.table
    found = [
        pb.SimilarCompany(
            company_id=table.company_id(each.company),
            company_code=table.code(each.company),
            company_name=table.name(each.company),
            similarity=each.similarity,
            category_id=table.category_id(each.company),
            category_name=table.category_name(each.company),
        )
        for each in companies
    ]
    return pb.SimilarCompaniesResponse(companies=found, index=index_reference(snapshot))


def index_info(index: InService) -> pb.GetIndexInfoResponse:
    """Counts and quality from the main manifest; a quality that could not be measured is 0."""
    snapshot = index.main
    manifest = snapshot.manifest
    new: TaskQuality | None = manifest.quality.new if manifest.quality else None
    return pb.GetIndexInfoResponse(
        index=index_reference(snapshot),
        companies=manifest.companies,
        indexed_companies=manifest.indexed,
        clients=manifest.clients,
        dimension=manifest.dimension,
        loaded_at=timestamp_of(snapshot.loaded_at),
        ndcg_new=new.ndcg if new else 0.0,
        popularity_ndcg_new=new.popularity_ndcg if new else 0.0,
        search=snapshot.publication.search,
        variants=_variants(index),
        fresh_through=timestamp_of(snapshot.fresh.changed_at) if snapshot.fresh.changed_at else None,
        fresh_clients=len(snapshot.fresh.clients.keys),
        barred_companies=len(snapshot.fresh.barred),
    )


def _variants(index: InService) -> Iterator[pb.VariantInfo]:
    main, challenger = index.main, index.challenger
    yield pb.VariantInfo(name=main.variant, share=1.0 - index.challenger_share, index=index_reference(main))
    theirs = of_challenger(main.publication)
    if challenger:
        yield pb.VariantInfo(name=challenger.variant, share=index.challenger_share, index=index_reference(challenger))
    elif theirs and theirs.challenger:
        yield pb.VariantInfo(name=theirs.challenger.experiment, index=_reference(theirs), problem=index.problem)


def index_reference(snapshot: Snapshot) -> pb.IndexReference:
    """Which index an answer came from."""
    return _reference(snapshot.publication, snapshot.manifest.watermark)


def _reference(publication: Publication, watermark: datetime | None = None) -> pb.IndexReference:
    return pb.IndexReference(
        epoch=publication.epoch,
        version=publication.version,
        published_at=timestamp_of(publication.published_at),
        watermark=timestamp_of(watermark) if watermark else None,
    )


def origin_of(snapshot: Snapshot) -> Origin:
    """What the ids of its answers have in common."""
    challenger = snapshot.publication.challenger
    return Origin(snapshot.epoch, challenger.since if challenger else 0, snapshot.role)


def _stripped(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(str.strip, codes))


def _explanation(told: Explanation) -> pb.StrategyExplanation:
    return pb.StrategyExplanation(
        cause=CAUSES[told.cause],
        history_companies=told.history_companies,
        history_indexed=told.history_indexed,
        popular_from=told.popular_from,
    )


def company_part(table: CompanyTable, company: int) -> pb.Recommendation:
    """What a recommendation says of the company, whoever gets it."""
    return pb.Recommendation(
        company_id=table.company_id(company),
        company_code=table.code(company),
        company_name=table.name(company),
        category_id=table.category_id(company),
        category_name=table.category_name(company),
    )


def _recommendation(table: CompanyTable, place: Recommendation) -> pb.Recommendation:
    found = company_part(table, place.company)
    found.score = place.score
    found.strategy = STRATEGIES[place.strategy]
    found.already_paid = place.already_paid
    for why in place.reasons:
        found.reasons.add(company_code=table.code(why.company), company_name=table.name(why.company), share=why.share)
    return found
