"""The services as a command calls them: channels of a profile, opened when asked for, and what is shown of answers."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from afin.indexer.v1.indexer_pb2_grpc import IndexerServiceStub
from afin.ingest.v1.ingest_pb2_grpc import IngestServiceStub
from afin.recommender.v1.recommender_pb2_grpc import RecommenderServiceStub
from afin.warehouse.v1.warehouse_pb2_grpc import WarehouseServiceStub
from cli.profiles import Target
from cli.screen import Screen
from services.runtime.channels import open_channel

if TYPE_CHECKING:
    from afin.indexer.v1.indexer_pb2_grpc import IndexerServiceAsyncStub
    from afin.ingest.v1.ingest_pb2_grpc import IngestServiceAsyncStub
    from afin.recommender.v1.recommender_pb2_grpc import RecommenderServiceAsyncStub
    from afin.warehouse.v1.warehouse_pb2_grpc import WarehouseServiceAsyncStub

# Seconds that a call may take; LONG where a service works meanwhile.
SHORT = 30
LONG = 900


class Afin:
    """All four services. `asked`: the one that was asked last, for whoever tells of an error."""

    def __init__(self, target: Target, screen: Screen, *, as_json: bool) -> None:
        self.target = target
        self.screen = screen
        self.as_json = as_json
        self.asked = ""
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def channel(self, service: str) -> grpc.aio.Channel:
        """The channel to a service; AccessFileError where files of the profile cannot be used."""
        self.asked = service
        if service not in self._channels:
            profile = self.target.profile
            opened = open_channel(profile.address(service), self.target.proof())
            self._channels[service] = await self._stack.enter_async_context(opened)
        return self._channels[service]

    async def ingest(self) -> "IngestServiceAsyncStub":
        """Pipelines, quarantine, schedules, erasures, feedback."""
        return IngestServiceStub(await self.channel("ingest"))

    async def warehouse(self) -> "WarehouseServiceAsyncStub":
        """Payments and companies."""
        return WarehouseServiceStub(await self.channel("warehouse"))

    async def indexer(self) -> "IndexerServiceAsyncStub":
        """Index versions."""
        return IndexerServiceStub(await self.channel("indexer"))

    async def recommender(self) -> "RecommenderServiceAsyncStub":
        """Recommendations."""
        return RecommenderServiceStub(await self.channel("recommender"))

    def show(self, answer: Message, tell: Callable[[], None], *, one_line: bool = False) -> None:
        """Prints an answer as JSON where that was asked for, else has it told to a person."""
        if not self.as_json:
            tell()
            return
        self.screen.json(_told(answer), one_line=one_line)

    def show_parts(self, parts: Mapping[str, Message]) -> None:
        """Prints several answers as one JSON object."""
        self.screen.json({name: _told(answer) for name, answer in parts.items()})


def _told(answer: Message) -> dict[str, Any]:
    """As protobuf has it in JSON, zeros included: whoever reads it finds each field."""
    told: dict[str, Any] = MessageToDict(answer, always_print_fields_with_no_presence=True)
    return told
