"""Calls of all four services at an even pace, by a client with the standard retry policy."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from afin.indexer.v1 import indexer_pb2, indexer_pb2_grpc
from afin.ingest.v1 import ingest_pb2, ingest_pb2_grpc
from afin.recommender.v1 import recommender_pb2, recommender_pb2_grpc
from afin.warehouse.v1 import warehouse_pb2, warehouse_pb2_grpc
from console.services import FULL_NAMES
from demo.stack.options import FIXED_PORTS
from tests.serving.polite import Asked, Call

DEADLINE_SECONDS = 20.0
PORTS = {name: FIXED_PORTS[name] for name in FULL_NAMES}
# Calls a second: what each answers without being at its end, on two cores that all of it shares.
RATES = {"ingest": 20.0, "warehouse": 20.0, "indexer": 10.0, "recommender": 100.0}
ASKED: Mapping[str, Asked] = {
    "ingest": Asked(FULL_NAMES["ingest"], ingest_pb2_grpc.IngestServiceStub),
    "warehouse": Asked(FULL_NAMES["warehouse"], warehouse_pb2_grpc.WarehouseServiceStub),
    "indexer": Asked(FULL_NAMES["indexer"], indexer_pb2_grpc.IndexerServiceStub),
    "recommender": Asked(FULL_NAMES["recommender"], recommender_pb2_grpc.RecommenderServiceStub),
}


def calls_of(service: str, clients: list[str]) -> list[Call]:
    """What is asked of the service in turn."""
    requests: Mapping[str, list[tuple[str, Any]]] = {
        "ingest": [
            ("ListRuns", ingest_pb2.ListRunsRequest(page_size=5)),
            ("GetWatermark", ingest_pb2.GetWatermarkRequest()),
        ],
        "warehouse": [
            ("ListClientPayments", warehouse_pb2.ListClientPaymentsRequest(external_client_id=client, page_size=20))
            for client in clients
        ],
        "indexer": [("ListPublications", indexer_pb2.ListPublicationsRequest())],
        "recommender": [
            ("Recommend", recommender_pb2.RecommendRequest(client_id=client, max_results=5)) for client in clients
        ],
    }
    return [partial(_call, name, request) for name, request in requests[service]]


async def _call(name: str, request: Any, stub: Any) -> Any:
    return await getattr(stub, name)(request, timeout=DEADLINE_SECONDS)
