"""A caller of the recommender who asks all the time, and remembers which index answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import grpc

from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1 import recommender_pb2_grpc as rpc

CALL_SECONDS = 20
PAUSE_SECONDS = 0.02
RESULTS = 5
CLIENT = "client-0-0"


@dataclass
class Watch:
    """`seen`: epoch and version of each answer since it was emptied last; `problems`: what no kill explains."""

    stub: "rpc.RecommenderServiceAsyncStub"
    answers: int = 0
    epoch: int = 0
    seen: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    async def ask(self) -> None:
        """Once; before the first index there is no answer, from then on always one."""
        try:
            answer = await self.stub.Recommend(
                pb.RecommendRequest(client_id=CLIENT, max_results=RESULTS), timeout=CALL_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            if self.epoch:
                self.problems.append(f"after epoch {self.epoch} no answer: {error.code()}: {error.details()}")
            return
        self.answers += 1
        self._judge(answer)

    async def reload(self) -> int:
        """Looks for a newer index now; the epoch in service then."""
        return (await self.stub.ReloadIndex(pb.ReloadIndexRequest(), timeout=CALL_SECONDS)).index.epoch

    def _judge(self, answer: pb.RecommendResponse) -> None:
        index = answer.index
        if index.epoch < self.epoch:
            self.problems.append(f"epoch {index.epoch} answered after epoch {self.epoch}")
        if len(answer.recommendations) != RESULTS or not answer.client_known:
            self.problems.append(f"epoch {index.epoch} gave {len(answer.recommendations)} companies")
        if self.seen.setdefault(index.epoch, index.version) != index.version:
            self.problems.append(f"epoch {index.epoch} was {self.seen[index.epoch]}, and is {index.version}")
        self.epoch = max(self.epoch, index.epoch)


@asynccontextmanager
async def watching(port: int) -> AsyncIterator[Watch]:
    """Asks again and again while the context is open."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        watch, over = Watch(rpc.RecommenderServiceStub(channel)), asyncio.Event()

        async def keep_asking() -> None:
            while not over.is_set():
                await watch.ask()
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), PAUSE_SECONDS)

        async with asyncio.TaskGroup() as group:
            group.create_task(keep_asking())
            try:
                yield watch
            finally:
                over.set()
