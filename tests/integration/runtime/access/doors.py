"""All services of the protos with the roles that they really have, answering nothing, behind either kind of server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.runtime.access.keys import line_of, make_key
from services.runtime.access.proof import NO_PROOF, Proof
from services.runtime.access.roles import Rpcs
from services.runtime.channels import OPTIONS
from services.runtime.server import GrpcService, grpc_server, thread_server
from services.runtime.settings import ServiceSettings

NAMES = ("ingest", "warehouse", "indexer", "recommender")
KINDS = {"aio": grpc_server, "threads": thread_server}
CALL_SECONDS = 20
RELOAD = "/afin.recommender.v1.RecommenderService/ReloadIndex"
INFO = "/afin.recommender.v1.RecommenderService/GetIndexInfo"
WATCH = "/afin.ingest.v1.IngestService/WatchRun"


def descriptor(name: str) -> ServiceDescriptor:
    """Of the service of that name."""
    file = import_module(f"afin.{name}.v1.{name}_pb2").DESCRIPTOR
    found: ServiceDescriptor = next(iter(file.services_by_name.values()))
    return found


def rpcs_of(name: str) -> Rpcs:
    """Its table of roles."""
    table: Rpcs = import_module(f"services.{name}.access").RPCS
    return table


def path_of(name: str, method: str) -> str:
    """As gRPC calls it."""
    return f"/{descriptor(name).full_name}/{method}"


def _service(name: str, kind: str) -> GrpcService:
    found = descriptor(name)
    handlers = {method.name: _handler(method, kind) for method in found.methods}

    def register(server: Any) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(found.full_name, handlers),))
        server.add_registered_method_handlers(found.full_name, handlers)

    return GrpcService(found.full_name, register, _ready, rpcs_of(name))


def _handler(method: MethodDescriptor, kind: str) -> Any:
    answer = GetMessageClass(method.output_type)()
    codecs = (GetMessageClass(method.input_type).FromString, GetMessageClass(method.output_type).SerializeToString)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_stream(answer, kind), *codecs)
    return grpc.unary_unary_rpc_method_handler(_unary(answer, kind), *codecs)


def _unary(answer: Message, kind: str) -> Any:
    async def coroutine(request: object, context: object) -> Message:
        return answer

    return coroutine if kind == "aio" else lambda request, context: answer


def _stream(answer: Message, kind: str) -> Any:
    async def coroutine(request: object, context: object) -> AsyncIterator[Message]:
        yield answer

    return coroutine if kind == "aio" else lambda request, context: iter([answer])


async def _ready() -> None:
    return


@dataclass(frozen=True)
class Visitor:
    """Calls a door with what it shows of itself."""

    port: int

    async def call(
        self, path: str, request: bytes = b"", *, key: str | None = None, proof: Proof = NO_PROOF
    ) -> grpc.StatusCode:
        """How a call ended."""
        error = await self.refusal(path, request, key=key, proof=proof)
        return grpc.StatusCode.OK if error is None else error.code()

    async def refusal(
        self, path: str, request: bytes = b"", *, key: str | None = None, proof: Proof = NO_PROOF
    ) -> grpc.aio.AioRpcError | None:
        """The error of a call; None where it was answered. All methods are asked as streams of answers are."""
        metadata = (("authorization", f"Bearer {key}"),) if key is not None else ()
        async with self.channel(proof) as channel:
            ask: Any = channel.unary_stream(path)
            try:
                async for _ in ask(request, metadata=metadata, timeout=CALL_SECONDS):
                    pass
            except grpc.aio.AioRpcError as error:
                return error
        return None

    def channel(self, proof: Proof = NO_PROOF) -> grpc.aio.Channel:
        """A channel that tries nothing again."""
        credentials = proof.channel_credentials()
        options = [option for option in OPTIONS if option[0] == "grpc.enable_http_proxy"]
        if credentials is None:
            return grpc.aio.insecure_channel(f"127.0.0.1:{self.port}", options=options)
        return grpc.aio.secure_channel(f"127.0.0.1:{self.port}", credentials, options=options)


@asynccontextmanager
async def open_doors(kind: str, **settings: Any) -> AsyncIterator[Visitor]:
    """All services on one free port, until the context is left."""
    told = ServiceSettings(host="127.0.0.1", drain_seconds=0, **settings)
    async with KINDS[kind]([_service(name, kind) for name in NAMES], told) as port:
        yield Visitor(port)


def keys_in(path: Path, *names: str, roles: tuple[str, ...] = ("read", "operate", "admin")) -> dict[str, str]:
    """Writes a file with a key for each role, called as its role unless names are given; gives the keys by name."""
    keys = {name: make_key() for name in names or roles}
    lines = [line_of(key, name, role) for (name, key), role in zip(keys.items(), roles, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return keys


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what must come soon."""
    async with asyncio.timeout(CALL_SECONDS):
        while not await happened():  # noqa: ASYNC110 - it is seen from outside alone
            await asyncio.sleep(0.05)
