"""Recommenders are restarted one after the other while clients call: no call fails."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from afin_client import AfinClient, AsyncAfinClient
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import client_of, publish_world
from tests.integration.recommender.test_process import Running, running

LONG = timedelta(seconds=30)
CALLS_AFTER = 20


@pytest.fixture
def published(object_store: LocalObjectStore, tmp_path: Path) -> Path:
    """The folder of a store with an index."""
    publish_world(object_store, tmp_path / "bundle", epoch=4)
    return tmp_path


def serve(folder: Path, stack: ExitStack, name: str, port: int = 0) -> Running:
    """A recommender that answers."""
    home = folder / name
    home.mkdir(exist_ok=True)
    if not (home / "objects").exists():
        (home / "objects").symlink_to(folder / "objects")
    process = stack.enter_context(running(home, PORT=str(port)))
    with AfinClient(f"127.0.0.1:{process.port}", timeout=LONG) as client:
        client.recommend(client_of(1))
    return process


@contextmanager
def calling(call: Callable[[], object]) -> Iterator[Callable[[int], None]]:
    """Calls on and on from two threads; gives a way to wait for so many calls more. None of them may fail."""
    ended, failures, done = threading.Event(), list[BaseException](), threading.Semaphore(0)

    def work() -> None:
        while not ended.is_set():
            try:
                call()
            except Exception as error:  # noqa: BLE001 - whatever it is
                failures.append(error)
            done.release()

    def wait_for(calls: int) -> None:
        for _ in range(calls):
            assert done.acquire(timeout=LONG.total_seconds())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield wait_for
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert failures == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_call_fails_while_two_recommenders_are_restarted_in_turn(published: Path, number: signal.Signals) -> None:
    with ExitStack() as stack:
        processes = {name: serve(published, stack, name) for name in ("one", "two")}
        target = "ipv4:" + ",".join(f"127.0.0.1:{process.port}" for process in processes.values())
        client = stack.enter_context(AfinClient(target, timeout=LONG))
        with calling(lambda: client.recommend(client_of(1))) as wait_for:
            wait_for(CALLS_AFTER)
            for name, process in processes.items():
                process.stop(number)
                wait_for(CALLS_AFTER)
                serve(published, stack, name, process.port)
                wait_for(CALLS_AFTER)


async def test_a_call_waits_out_the_restart_of_the_only_recommender(published: Path) -> None:
    with ExitStack() as stack:
        process = await asyncio.to_thread(serve, published, stack, "one")
        async with AsyncAfinClient(f"127.0.0.1:{process.port}", timeout=LONG) as client:
            await client.recommend(client_of(1))
            await asyncio.to_thread(process.stop, signal.SIGKILL)
            waiting = [asyncio.create_task(client.recommend(client_of(1))) for _ in range(10)]
            await asyncio.to_thread(serve, published, stack, "one", process.port)
            answers = await asyncio.gather(*waiting)
    assert all(answer.client_known for answer in answers)
