"""Builds whose work is done by a Dask cluster: processes apart, that die and are lost."""

import asyncio
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import numpy as np
import pytest
from dask.typing import Key
from distributed import LocalCluster
from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.scheduler import Scheduler

from services.indexer.adapters.dask_engine import dask_engine, work_as
from services.indexer.domain.cooccurrence import Limits, cooccurrence
from services.indexer.domain.engine import LOCAL, Block, ClusterLost
from tests.integration.indexer.conftest import World
from tests.integration.indexer.serving import refusal, serving, settings_for
from tests.unit.indexer.matrices import sparse_pairs

MANY_PARTS = Limits(pairs_of_range=5000, cells_of_tile=40_000)
NO_GRAM = Limits(pairs_of_range=5000, companies_of_gram=0)
CLUSTER_APART = """
import signal
from distributed import LocalCluster
with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", protocol="tcp") as made:
    print(made.scheduler_address, flush=True)
    signal.pause()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A scheduler and two worker processes, each of which a nanny starts again when it dies."""
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as made:
        yield made


def killed_once(marker: Path, block: Block) -> Block:
    """Ends its own process the first time."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return block + 1


class AtWork(SchedulerPlugin):
    """Tells the address of each worker that is given a task."""

    def __init__(self, cluster: LocalCluster) -> None:
        assert isinstance(cluster.scheduler, Scheduler)
        self._scheduler = cluster.scheduler
        self._scheduler.add_plugin(self)
        self.workers = queue.SimpleQueue[str]()

    def transition(self, key: Key, start: str, finish: str, *_: object, **__: object) -> None:
        worker = self._scheduler.tasks[key].processing_on if finish == "processing" else None
        if worker:
            self.workers.put(worker.address)


@contextmanager
def stopped(processes: list[int]) -> Iterator[None]:
    """Processes that do nothing for a while."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


@contextmanager
def cluster_apart() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process with a scheduler and a worker, and the scheduler's address."""
    with subprocess.Popen([sys.executable, "-c", CLUSTER_APART], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("limits", [MANY_PARTS, NO_GRAM])
def test_a_cluster_gives_the_bytes_that_one_process_gives(cluster: LocalCluster, limits: Limits) -> None:
    matrix = sparse_pairs(clients=3000, companies=1100, pairs=30_000)
    block = np.random.default_rng(0).standard_normal((1100, 8), dtype=np.float32)

    with dask_engine(cluster.scheduler_address) as engine:
        product = cooccurrence(matrix, engine, limits).times(block)

    assert product.tobytes() == cooccurrence(matrix, LOCAL, limits).times(block).tobytes()


def test_a_worker_that_is_killed_at_work_fails_nothing(cluster: LocalCluster, tmp_path: Path) -> None:
    blocks = [np.full(3, number) for number in range(20)]

    with dask_engine(cluster.scheduler_address) as engine:
        tasks = [(tmp_path / "killed", engine.place(block)) for block in blocks]
        results = list(engine.run(killed_once, tasks))

    assert (tmp_path / "killed").exists()
    assert [result.tolist() for result in results] == [(block + 1).tolist() for block in blocks]


async def test_a_build_on_a_cluster_of_which_a_worker_is_killed_has_the_same_bytes_as_one_here(
    cluster: LocalCluster, world: World, tmp_path: Path
) -> None:
    objects = tmp_path / "objects"
    objects.mkdir()
    workers = {str(nanny.worker_address): int(nanny.pid) for nanny in cluster.workers.values()}
    at_work = AtWork(cluster)
    settings = settings_for(world.database_url, objects, engine="dask", dask_scheduler=cluster.scheduler_address)

    async with serving(settings) as indexer:
        with stopped(list(workers.values())):  # nothing gets done before one of them is killed with its task
            building = asyncio.create_task(indexer.build("on-dask"))
            os.kill(workers[await asyncio.to_thread(at_work.workers.get, timeout=60)], signal.SIGKILL)
        messages = await building

    assert messages[-1].index_version.version == world.first


async def test_a_cluster_that_is_not_there_is_told_by_its_address(world: World) -> None:
    settings = world.settings(engine="dask", dask_scheduler="tcp://127.0.0.1:9")

    async with serving(settings) as indexer:
        refused = await refusal(indexer.build("nowhere"))

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "DASK_CLUSTER_LOST")
    assert "tcp://127.0.0.1:9" in refused.message


def test_a_scheduler_that_is_killed_is_an_error_and_no_endless_wait() -> None:
    with cluster_apart() as (process, address), dask_engine(address) as engine:
        results = engine.run(np.negative, [(np.ones(1),), (np.ones(1),)])
        assert next(results).tolist() == [-1]

        process.kill()
        process.wait()

        with pytest.raises(ClusterLost):
            list(engine.run(np.negative, [(np.ones(1),)]))


def test_a_worker_of_another_version_is_refused() -> None:
    with pytest.raises(ClusterLost, match="deploy the same image"):
        work_as("0.0.1+other", np.negative, np.ones(1))
