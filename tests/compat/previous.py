"""The previous release: its protos, what it stored, what it answered, and a client that speaks as it did."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from services.runtime.checksums import sha256_of
from services.warehouse.migrations import versions

PREVIOUS = Path(__file__).parent / "previous"
PROTOS, OBJECTS, RECORD = PREVIOUS / "protos.binpb", PREVIOUS / "objects", PREVIOUS / "record.json"
CALL_SECONDS = 60


@dataclass(frozen=True)
class Record:
    """What was there when the objects were stored.

    `answers`: the company codes that each client was recommended; `revisions`: SHA-256 of each migration, by file.
    """

    version: str
    index_version: str
    answers: dict[str, list[str]]
    payments: int
    companies: int
    revisions: dict[str, str]


def record() -> Record:
    """As it was written down."""
    return Record(**json.loads(RECORD.read_text()))


def revisions() -> dict[str, str]:
    """SHA-256 of each migration as it is now, by file."""
    found = sorted(Path(versions.__path__[0]).glob("[0-9]*.py"))
    return {path.name: sha256_of(path.read_bytes()) for path in found}


class PreviousClient:
    """Calls a service with the messages of the previous release alone; requests and answers are dictionaries."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def call(self, method: str, **request: object) -> dict[str, Any]:
        """`method`: package.Service/Name, of one answer."""
        return (await self.stream(method, **request))[-1]

    async def stream(self, method: str, **request: object) -> list[dict[str, Any]]:
        """All answers of one that streams them."""
        return [each async for each in self._calls(method, request)]

    async def _calls(self, method: str, request: dict[str, object]) -> AsyncIterator[dict[str, Any]]:
        described = _described(method)
        asked, answered = GetMessageClass(described.input_type), GetMessageClass(described.output_type)
        make: Any = self._channel.unary_stream if described.server_streaming else self._channel.unary_unary
        call = make(f"/{method}", asked.SerializeToString, answered.FromString)
        made = call(json_format.ParseDict(request, asked()), timeout=CALL_SECONDS, wait_for_ready=True)
        if described.server_streaming:
            async for answer in made:
                yield _told(answer)
        else:
            yield _told(await made)


def _described(method: str) -> MethodDescriptor:
    service, _, name = method.partition("/")
    return _pool().FindServiceByName(service).methods_by_name[name]


@cache
def _pool() -> DescriptorPool:
    """Apart from the one that holds this release's messages."""
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(PROTOS.read_bytes()).file:
        pool.Add(file)
    return pool


def _told(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = json_format.MessageToDict(answer, preserving_proto_field_name=True)
    return told
