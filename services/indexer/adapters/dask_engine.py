"""Work on a Dask cluster. Imported only where that is wished: the package is an extra of its own.

Workers share no disk with us and reach no object store: what they work on comes to them in messages, no larger than
cooccurrence.Limits allows, and its order of travel decides nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import dask
from distributed import Client, Future
from distributed.scheduler import KilledWorker

from services.indexer.domain.engine import Block, ClusterLost
from services.runtime.version import code_version

CONNECT_TIMEOUT = timedelta(seconds=5)
# How long a result may take to come: a cluster that has no worker left gives none.
RESULT_TIMEOUT = timedelta(minutes=10)
TASKS_A_WORKER = 2
# A range of clients is larger than what Dask warns of unless told.
CONFIGURATION = {"distributed.admin.large-graph-warning-threshold": "256MB"}


class DaskEngine:
    """See Engine. The scheduler keeps what was placed, so that a worker that dies takes nothing with it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def place(self, value: object) -> Any:
        """See Engine."""
        with _cluster_errors():
            return self._client.submit(_itself, value, pure=False)

    def run(self, work: Callable[..., Block], tasks: Iterable[tuple[Any, ...]]) -> Iterator[Block]:
        """See Engine."""
        with _cluster_errors():
            room = TASKS_A_WORKER * max(1, len(self._client.nthreads()))
            waiting: deque[Future[Block]] = deque()
            for task in tasks:
                waiting.append(self._client.submit(work_as, code_version(), work, *task, pure=False))
                if len(waiting) > room:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())


@contextmanager
def dask_engine(scheduler: str) -> Iterator[DaskEngine]:
    """An engine of the cluster behind the scheduler's address; ClusterLost when it, or any worker, cannot be found.

    How to encrypt, and by which certificates, Dask itself reads from its environment or configuration files.
    """
    with _cluster_errors():
        client = Client(scheduler, timeout=CONNECT_TIMEOUT.total_seconds())
    with client, dask.config.set(CONFIGURATION):
        with _cluster_errors():
            client.wait_for_workers(1, timeout=CONNECT_TIMEOUT.total_seconds())
        yield DaskEngine(client)


def _result(future: "Future[Block]") -> Block:
    found: Block = future.result(timeout=RESULT_TIMEOUT.total_seconds())
    return found


@contextmanager
def _cluster_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, TimeoutError, CancelledError, KilledWorker) as error:
        raise ClusterLost(str(error) or type(error).__name__) from error


def _itself(value: object) -> object:
    return value


def work_as(version: str, work: Callable[..., Block], *arguments: object) -> Block:
    """The work, done by a worker that runs our version; another might give other bytes."""
    if code_version() != version:
        raise ClusterLost(f"a worker runs {code_version()} and the indexer {version}; deploy the same image")
    return work(*arguments)
