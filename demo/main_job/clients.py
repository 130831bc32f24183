"""Three clients to show: what each pays, and what is recommended to it and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from afin.recommender.v1 import recommender_pb2, recommender_pb2_grpc
from afin.warehouse.v1 import warehouse_pb2, warehouse_pb2_grpc
from demo.main_job.payers import clients_that_pay
from demo.main_job.pipelines import CALL_TIMEOUT
from demo.stack.stack import Stack
from services.runtime.channels import open_channel

SHOWN_PAID = 5
SHOWN_RECOMMENDED = 5


@dataclass(frozen=True, slots=True)
class ClientStory:
    """`paid`: names of the companies it paid most with the number of payments, among its newest payments."""

    client_id: str
    paid: Sequence[tuple[str, int]]
    recommended: recommender_pb2.RecommendResponse


async def tell_stories(stack: Stack, count: int = 3) -> list[ClientStory]:
    """The stories of the `count` clients that pay most among the first payments of the source."""
    clients = await clients_that_pay(stack.source_url, count)
    wait = CALL_TIMEOUT.total_seconds()
    async with (
        open_channel(stack.address("warehouse")) as to_warehouse,
        open_channel(stack.address("recommender")) as to_recommender,
    ):
        warehouse = warehouse_pb2_grpc.WarehouseServiceStub(to_warehouse)
        recommender = recommender_pb2_grpc.RecommenderServiceStub(to_recommender)
        # The recommender looks for a new index again and again; we want to see it now.
        await recommender.ReloadIndex(recommender_pb2.ReloadIndexRequest(), timeout=wait)
        stories = []
        for client in clients:
            request = recommender_pb2.RecommendRequest(
                client_id=client, max_results=SHOWN_RECOMMENDED, with_reasons=True
            )
            recommended = await recommender.Recommend(request, timeout=wait)
            stories.append(ClientStory(client, await _paid(warehouse, client), recommended))
        return stories


async def _paid(warehouse: "warehouse_pb2_grpc.WarehouseServiceAsyncStub", client: str) -> list[tuple[str, int]]:
    wait = CALL_TIMEOUT.total_seconds()
    request = warehouse_pb2.ListClientPaymentsRequest(external_client_id=client, page_size=1000)
    payments = (await warehouse.ListClientPayments(request, timeout=wait)).payments
    counts = Counter(payment.company_code for payment in payments).most_common(SHOWN_PAID)
    return [(await _name(warehouse, code), count) for code, count in counts]


async def _name(warehouse: "warehouse_pb2_grpc.WarehouseServiceAsyncStub", code: str) -> str:
    request = warehouse_pb2.GetCompanyHistoryRequest(company_code=code)
    versions = (await warehouse.GetCompanyHistory(request, timeout=CALL_TIMEOUT.total_seconds())).versions
    return versions[-1].company_name
