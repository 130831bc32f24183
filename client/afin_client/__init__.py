"""A client of Afín: recommendations and feedback on them, with deadlines, retries and load balancing by default.

    with AfinClient("dns:///recommender.afin:50054", ingest="ingest:50051", key=key) as afin:
        answer = afin.recommend("client-1", max_results=5)
        afin.feedback([shown(answer, place.company_code) for place in answer.recommendations])

Answers are the messages of the protos, `afin.recommender.v1` and `afin.ingest.v1`. It needs grpcio, protobuf and
googleapis-common-protos alone.
"""

from afin_client.aio import AsyncAfinClient
from afin_client.connecting import Tls
from afin_client.errors import (
    AccessDenied,
    AfinError,
    Closed,
    InvalidRequest,
    NotFound,
    Overloaded,
    TimedOut,
    Unavailable,
)
from afin_client.events import clicked, paid, shown
from afin_client.sync import AfinClient

__all__ = [
    "AccessDenied",
    "AfinClient",
    "AfinError",
    "AsyncAfinClient",
    "Closed",
    "InvalidRequest",
    "NotFound",
    "Overloaded",
    "TimedOut",
    "Tls",
    "Unavailable",
    "clicked",
    "paid",
    "shown",
]
