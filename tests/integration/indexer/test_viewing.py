"""Looking into one version: its companies on a map, and what it would recommend, in service or not."""

from afin.indexer.v1 import indexer_pb2 as pb
from afin.recommender.v1 import recommender_pb2
from services.contracts import bundle
from tests.integration.indexer.conftest import World
from tests.integration.indexer.damage import flip
from tests.integration.indexer.serving import refusal, serving

SECONDS = 60


async def test_a_map_shows_the_indexed_companies_most_clients_first(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        seen = await indexer.stub.GetCompanyMap(pb.GetCompanyMapRequest(), timeout=SECONDS)
        few = await indexer.stub.GetCompanyMap(
            pb.GetCompanyMapRequest(version=world.first, max_companies=3), timeout=SECONDS
        )
        indexed = (await indexer.version(world.first)).indexed_companies

    clients = [each.clients for each in seen.companies]
    assert seen.version == world.first
    assert len(seen.companies) == indexed
    assert clients == sorted(clients, reverse=True)
    assert all(abs(each.x) <= 1 and abs(each.y) <= 1 for each in seen.companies)
    assert (seen.popularity[0].rank, seen.popularity[0].clients) == (1, clients[0])
    assert list(few.companies) == list(seen.companies)[:3]


async def test_a_version_that_is_not_in_service_recommends_with_reasons(world: World) -> None:
    request = pb.RecommendFromVersionRequest(version=world.second, client_id=" client-0-0 ", max_results=5)
    stranger = pb.RecommendFromVersionRequest(version=world.second, client_id="nobody", max_results=5)
    async with serving(world.settings()) as indexer:
        told = await indexer.stub.RecommendFromVersion(request, timeout=SECONDS)
        unknown = await indexer.stub.RecommendFromVersion(stranger, timeout=SECONDS)
        basket = await indexer.stub.RecommendFromVersion(
            pb.RecommendFromVersionRequest(
                version=world.second, company_codes=[told.recommendations[0].company_code], max_results=5
            ),
            timeout=SECONDS,
        )

    assert told.client_known
    assert len(told.recommendations) == 5
    assert told.recommendations[0].strategy == recommender_pb2.STRATEGY_COLLABORATIVE
    assert told.recommendations[0].reasons[0].share > 0
    assert not unknown.client_known
    assert {each.strategy for each in unknown.recommendations} == {recommender_pb2.STRATEGY_POPULAR}
    assert basket.client_known


async def test_a_damaged_version_is_not_looked_into(world: World) -> None:
    flip(world, bundle.TARGET_FILE)
    async with serving(world.settings()) as indexer:
        refused = await refusal(
            indexer.stub.GetCompanyMap(pb.GetCompanyMapRequest(version=world.first), timeout=SECONDS)
        )

    assert refused.reason == "NOT_VIEWABLE"
    assert bundle.TARGET_FILE in refused.message


async def test_a_wrong_question_is_refused(world: World) -> None:
    async with serving(world.settings()) as indexer:
        both = await refusal(
            indexer.stub.RecommendFromVersion(
                pb.RecommendFromVersionRequest(
                    version=world.first, client_id="secret", company_codes=["a"], max_results=1
                ),
                timeout=SECONDS,
            )
        )
        many = await refusal(indexer.stub.GetCompanyMap(pb.GetCompanyMapRequest(max_companies=2001), timeout=SECONDS))

    assert (both.reason, many.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert "secret" not in both.message
